//go:build linux

package conformance

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rgate/internal/rig"
)

// TestEndpointThatIsTheGatewayItself: 9110 7.6.3. A request that comes back ends
// after one round, not when there are no connections left.
func TestEndpointThatIsTheGatewayItself(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			var self atomic.Value
			var rounds atomic.Int64
			addr := start(t, kind, accept(t, func(c net.Conn) {
				rounds.Add(1)
				mirror(c, self.Load().(string))
			}))
			self.Store(addr)
			for _, request := range []string{
				get + host + end,
				get + host + "Via: 1.1 other\r\n" + end,
				post + "Content-Length: 2\r\n" + end + "ab",
				get + host + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
			} {
				rounds.Store(0)
				c, in := dial(t, addr)
				if _, err := io.WriteString(c, request); err != nil {
					t.Fatal(err)
				}
				res := answerOf(t, in)
				if got := fmt.Sprint(res.StatusCode, res.Header["X-Rgate-Reason"]); got != "508 [loop_detected]" || rounds.Load() > 1 {
					t.Errorf("%q: got %s after %d rounds", strings.SplitN(request, "\r\n", 2)[0], got, rounds.Load())
				}
				_ = c.Close()
			}
		})
	}
}

// mirror joins c with a connection to addr until one of them ends.
func mirror(c net.Conn, addr string) {
	d, err := rig.Dial(&net.Dialer{}, addr)
	if err != nil {
		return
	}
	var wg sync.WaitGroup
	for _, way := range [][2]net.Conn{{c, d}, {d, c}} {
		wg.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_, _ = way[0].Close(), way[1].Close()
		})
	}
	wg.Wait()
}
