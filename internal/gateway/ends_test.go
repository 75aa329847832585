package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// With drain_timeout: 0 an end is at once, whatever is in flight, and so is the
// end of an endpoint.
func TestNoDrainTimeout(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			asked := make(chan struct{}, 10)
			slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				asked <- struct{}{}
				<-r.Context().Done()
			}))
			t.Cleanup(slow.Close)
			text := func(address string) string {
				return strings.ReplaceAll(staticConfig(address), "backends:", "drain_timeout: 0\nengine: "+engine+"\nbackends:")
			}
			r := start(t, text(slow.Listener.Addr().String()), nil)
			until(t, "it serves", r.serving)
			hang := func() {
				conn, err := net.Dial("tcp", r.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = conn.Close() })
				fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
				<-asked
			}
			hang()
			r.write(text(backend(t, "two")))
			if _, err := r.Reload(); err != nil {
				t.Fatal(err)
			}
			r.write(text(slow.Listener.Addr().String()))
			if _, err := r.Reload(); err != nil {
				t.Fatal(err)
			}
			hang()
			began := time.Now()
			if err := r.stop(); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > quickly {
				t.Errorf("it ended after %v", took)
			}
		})
	}
}
