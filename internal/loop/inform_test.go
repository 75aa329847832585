//go:build linux

package loop

import (
	"fmt"
	"io"
	"net"
	"testing"

	"rgate/internal/config"
	"rgate/internal/proxy"
	"rgate/internal/rig/ends"
)

const statsGet = "GET /stats?by=route HTTP/1.1\r\nHost: x\r\n\r\n"

// The page takes its time: others go on meanwhile, and who leaves is forgotten.
func TestStatisticsAreMadeBesideTheLoop(t *testing.T) {
	begun, release := make(chan string, 8), make(chan struct{})
	g := start(t, func(_ *config.Config, o *Options) {
		o.Gate.Inform(func(x *proxy.Exchange) *proxy.Answer {
			begun <- string(x.Method) + " " + string(x.Path) + " " + string(x.Query)
			<-release
			return &proxy.Answer{Status: 200, ContentType: "text/plain", Body: []byte("page")}
		})
	}, serve(t, hello))
	first, waiting, left, resets := g.dial(), g.dial(), g.dial(), g.dial()
	_, _ = io.WriteString(first, statsGet)
	if got := <-begun; got != "GET /stats ?by=route" {
		t.Errorf("asked for %q", got)
	}
	for _, c := range []net.Conn{waiting, left, resets} {
		_, _ = io.WriteString(c, statsGet)
	}
	until(t, g, phaseWait, 4)
	_ = resets.(*net.TCPConn).SetLinger(0)
	_ = resets.Close()
	until(t, g, phaseWait, 3)
	_ = left.(*net.TCPConn).CloseWrite() // it may still wait
	for range 20 {
		if got := g.exchange(closingGet); len(got) == 0 {
			t.Fatal("nobody else is answered")
		}
	}
	close(release)
	for _, c := range []net.Conn{first, waiting} {
		if res := get(t, c, plainGet); res.StatusCode != 200 || res.ContentLength != 4 {
			t.Errorf("got %d of %d bytes", res.StatusCode, res.ContentLength)
		}
	}
	if b, err := io.ReadAll(left); err != nil || len(b) == 0 {
		t.Errorf("who ended its side got %q, %v", b, err)
	}
}

// until waits until n clients are in phase p.
func until(t *testing.T, g *gate, p phase, n int) {
	t.Helper()
	ends.Until(t, fmt.Sprintf("%d clients are in phase %d", n, p), func() bool {
		found := 0
		g.engine.within(func(l *loop) {
			for _, s := range l.socks {
				if s.client != nil && s.client.phase == p {
					found++
				}
			}
		})
		return found == n
	})
}
