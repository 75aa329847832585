//go:build linux

package conformance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig"
)

// TestExpectantInAQueueIsNotLate: a client that waited for its turn, and then for
// being asked for its body, once was too late the moment its turn came.
func TestExpectantInAQueueIsNotLate(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			held, release := make(chan struct{}), make(chan struct{})
			endpoint := play(t, func(c net.Conn, req *http.Request) {
				if req.Method == http.MethodGet {
					close(held)
					<-release
				} else {
					_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
					_, _ = io.Copy(io.Discard, req.Body)
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
			})
			g := rig.Start(t, kind, func(c *config.Config) {
				traffic := &c.Backends[0].Traffic
				traffic.MaxInFlight, traffic.Queue = 1, config.Queue{Size: 1, Timeout: 20 * time.Second}
			}, endpoint)
			first, second := dialClient(t, g.Addr), dialClient(t, g.Addr)
			first.ask("/")
			<-held
			fmt.Fprint(second, post+"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
			time.Sleep(50 * time.Millisecond) // nothing tells that it waits
			close(release)
			first.want(http.StatusOK)
			second.want(http.StatusContinue)
			fmt.Fprint(second, "ok")
			second.want(http.StatusOK)
		})
	}
}
