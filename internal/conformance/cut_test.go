//go:build linux

package conformance

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"rgate/internal/rig"
)

// TestAResetIsNoEnd: an endpoint answers with a body that ends with its
// connection, and resets that while the client still uploads. Whoever writes to
// the endpoint may be the one who is told of the reset; the answer is cut off all
// the same.
func TestAResetIsNoEnd(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			addr := start(t, kind, play(t, func(c net.Conn, _ *http.Request) {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nhalf")
				_ = c.(*net.TCPConn).SetLinger(0)
			}))
			for range 150 {
				c := dialClient(t, addr)
				if _, err := io.WriteString(c, post+"Transfer-Encoding: chunked\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				uploaded := make(chan struct{})
				go func() {
					defer close(uploaded)
					for {
						if _, err := io.WriteString(c, "1\r\nx\r\n"); err != nil {
							return
						}
					}
				}()
				res, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err == nil && res.StatusCode == http.StatusOK {
					if b, err := io.ReadAll(res.Body); err == nil {
						t.Errorf("half an answer looks whole: %q", b)
					}
				}
				_ = c.Close()
				<-uploaded
			}
		})
	}
}
