//go:build linux

package peer

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// forwarded are the fields that the origin has to see from every peer.
var forwarded = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id"}

// Check asks the peer once for each route, and tells whether it does for a
// request what the others do. Without it a peer could be fast by doing less.
func (r *Process) Check() error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for _, prefix := range Prefixes {
		path := strings.TrimSuffix(prefix, "/") + "/head"
		resp, err := client.Get("http://" + r.Site.Listen.String() + path)
		if err != nil {
			return fmt.Errorf("%s does not answer on %s: %w", r.Name, path, err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %d on %s: %q (%v)", r.Name, resp.StatusCode, path, text, err)
		}
		if r.tcp {
			continue
		}
		seen, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(text))))
		if err != nil {
			return fmt.Errorf("%s sent on what is no request: %w", r.Name, err)
		}
		for _, name := range forwarded {
			if seen.Header.Get(name) == "" {
				return fmt.Errorf("%s does not send %s", r.Name, name)
			}
		}
	}
	return nil
}
