//go:build linux

package loop

import (
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"rgate/internal/config"
)

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// TestChurnLeavesNothingBehind opens and ends connections in every way, on two
// loops.
func TestChurnLeavesNothingBehind(t *testing.T) {
	before := descriptors(t)
	t.Run("churn", func(t *testing.T) {
		g := start(t, func(_ *config.Config, o *Options) { o.Loops = 2 }, serve(t, hello))
		raws := []string{
			"", "GET /", plainGet, plainGet + plainGet, "nonsense\r\n\r\n",
			"GET / HTTP/1.0\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
			"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n",
		}
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				for i := range 300 {
					c, err := net.Dial("tcp", g.addr)
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = io.WriteString(c, raws[(i+worker)%len(raws)])
					if i%3 == 0 {
						_ = c.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
						_, _ = c.Read(make([]byte, 100))
					}
					_ = c.Close()
				}
			})
		}
		wg.Wait()
		if got := g.exchange(strings.Replace(plainGet, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)); !strings.Contains(got, "hello") {
			t.Errorf("got %q", got)
		}
		// The other loop may still be taking in that its last clients left.
		g.settled()
	})
	if after := descriptors(t); after > before+1 { // the runtime's own epoll may be new
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

func TestConnectionsAboveTheLimitAreToldSo(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) { c.Limits.ConnectionsPerClient = 1 }, serve(t, hello))
	first := g.dial()
	if res := get(t, first, plainGet); res.StatusCode != 200 {
		t.Fatal(res.StatusCode)
	}
	if got := g.exchange(""); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q", got)
	}
}
