//go:build linux

package conformance

import (
	"io"
	"net"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/rig"
)

// TestOneConnectionTooManyOverTLS ends without a word: one in the clear would not
// be understood, and a handshake for each costs what a flood wants.
func TestOneConnectionTooManyOverTLS(t *testing.T) {
	for _, way := range rig.Ways {
		if !rig.Secure(way) {
			continue
		}
		t.Run(way, func(t *testing.T) {
			r := rig.Start(t, way, func(c *config.Config) { c.Limits.ConnectionsPerClient = 1 }, record(t, "").addr)
			c, in := dial(t, r.Addr)
			_, err := rig.Dial(&net.Dialer{}, r.Addr)
			if err == nil || strings.Contains(err.Error(), "tls:") {
				t.Errorf("one too many: %v, instead of an end", err)
			}
			if _, err := io.WriteString(c, get+host+end); err != nil {
				t.Fatal(err)
			}
			if res := answerOf(t, in); res.StatusCode != 200 {
				t.Errorf("the other: %s", res.Status)
			}
		})
	}
}
