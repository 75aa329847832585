//go:build linux

package loop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

// hello answers every request, on connections that stay.
func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

const (
	plainGet     = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	upgradingGet = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
)

func get(t *testing.T, c net.Conn, raw string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestForwardsItsOwnHead(t *testing.T) {
	heads := make(chan string, 1)
	g := start(t, nil, raw(t, func(c net.Conn, in *bufio.Reader) {
		heads <- readHead(in)
		_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
	}))
	g.exchange("GET http://h:1/a/../b?q HTTP/1.0\r\nHost: h:1\r\nX-Request-Id: id-1\r\nX-Forwarded-For: 6.6.6.6\r\n" +
		"Forwarded: for=6.6.6.6\r\nX-Real-Ip: 6.6.6.6\r\nConnection: X-Drop\r\nX-Drop: 1\r\nKeep-Alive: 5\r\nX-Stay: yes\r\n\r\n")
	want := "GET /b?q HTTP/1.1\r\nHost: h:1\r\nX-Stay: yes\r\nVia: 1.0 rgate-TOKEN\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h:1\r\n" +
		"X-Forwarded-Proto: http\r\nForwarded: for=127.0.0.1;host=\"h:1\";proto=http\r\nX-Request-Id: id-1\r\n\r\n"
	got := regexp.MustCompile("rgate-[0-9A-Z]+").ReplaceAllString(<-heads, "rgate-TOKEN")
	if got != want {
		t.Errorf("the endpoint got %q\nwant %q", got, want)
	}
}

func TestTriesAgainOnAStaleConnection(t *testing.T) {
	var conns atomic.Int64
	g := start(t, nil, raw(t, func(c net.Conn, in *bufio.Reader) {
		first := conns.Add(1) == 1
		for n := 0; readHead(in) != ""; n++ {
			if first && n == 1 {
				return // takes the second request and closes
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}))
	c := g.dial()
	for range 3 {
		if res := get(t, c, plainGet); res.StatusCode != 200 {
			t.Fatalf("status %d", res.StatusCode)
		}
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
	if s := g.table.Total(); s.Retries != 1 {
		t.Errorf("%d retries, want 1", s.Retries)
	}
}

func TestCancelsUpstreamWhenTheClientGoes(t *testing.T) {
	arrived, canceled := make(chan struct{}), make(chan struct{})
	g := start(t, nil, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(canceled)
	}))
	c := g.dial()
	_, _ = io.WriteString(c, plainGet)
	<-arrived
	_ = c.Close()
	select {
	case <-canceled:
	case <-time.After(ends.Patience):
		t.Fatal("the endpoint still works for a client that is gone")
	}
}

func TestSlowClientHoldsABoundedBuffer(t *testing.T) {
	var wrote atomic.Int64
	stalled := make(chan struct{})
	stalls := sync.OnceFunc(func() { close(stalled) })
	g := start(t, nil, serve(t, func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 64<<10)
		for range 1 << 10 { // 64 MB
			done := make(chan struct{})
			timer := time.AfterFunc(300*time.Millisecond, func() { stalls(); <-done })
			n, err := w.Write(b)
			if !timer.Stop() {
				close(done)
			}
			if wrote.Add(int64(n)); err != nil {
				return
			}
		}
	}))
	c := g.dial()
	_, _ = io.WriteString(c, plainGet)
	<-stalled // the endpoint could not go on, long before its 64 MB
	if n := wrote.Load(); n > 32<<20 {
		t.Errorf("%d bytes went ahead of the client", n)
	}
	_ = c.Close()
}

func TestExpectContinueIsRelayed(t *testing.T) {
	g := start(t, nil, serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	}))
	c := g.dial()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	r := bufio.NewReader(c)
	if head := readHead(r); !strings.HasPrefix(head, "HTTP/1.1 100 ") {
		t.Fatalf("got %q", head)
	}
	_, _ = io.WriteString(c, "hello")
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(res.Body); string(b) != "hello" {
		t.Errorf("got %q", b)
	}
}

func TestTimeouts(t *testing.T) {
	release := make(chan struct{})
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-release })
	defer close(release)
	g := start(t, func(c *config.Config, _ *Options) {
		c.Timeouts.ClientHeader, c.Timeouts.Idle = ample, ample
		c.Timeouts.ResponseHeader, c.Limits.BodyProgress.Within = ample, ample
		c.Backends[0].Traffic.Retries = 0
	}, silent)
	var all sync.WaitGroup
	defer all.Wait()
	for raw, want := range map[string]string{
		"":      "",
		"GET /": "HTTP/1.1 408 ",
		"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":          "HTTP/1.1 504 ",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nhello": "HTTP/1.1 408 ",
	} {
		all.Go(func() {
			if got := g.exchange(raw); !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("%q: got %q, want %q", raw, got, want)
			}
		})
	}
}

func TestAnswersByItself(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) { c.Routes[0].PathPrefix = "/b" }, "127.0.0.1:1")
	for raw, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n":                          "HTTP/1.1 404 ",
		"GET /b HTTP/1.1\r\nHost: x\r\n\r\n":                         "HTTP/1.1 503 ",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc": "HTTP/1.1 404 ",
	} {
		c := g.dial()
		if res := get(t, c, raw); fmt.Sprintf("HTTP/1.1 %d ", res.StatusCode) != want {
			t.Errorf("%q: got %d, want %s", raw, res.StatusCode, want)
		}
	}
}

func TestHandsOverWebSockets(t *testing.T) {
	conns := make(chan net.Conn, 1)
	g := start(t, func(_ *config.Config, o *Options) { o.HandOver = func(c net.Conn) { conns <- c } }, serve(t, hello))
	c := g.dial()
	if res := get(t, c, plainGet); res.StatusCode != 200 {
		t.Fatal(res.StatusCode)
	}
	_, _ = io.WriteString(c, upgradingGet)
	h := <-conns
	defer h.Close()
	if got := readHead(bufio.NewReader(h)); got != upgradingGet {
		t.Errorf("got %q", got)
	}
	_, _ = io.WriteString(h, "hi")
	b := make([]byte, 2)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "hi" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestQueuesAboveTheLimit(t *testing.T) {
	// Room for all: the third may arrive before its leaving is noticed.
	arrived, release := make(chan struct{}, 4), make(chan struct{})
	g := start(t, func(c *config.Config, _ *Options) { c.Backends[0].Traffic.MaxInFlight = 1 }, serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
	}))
	first, second, third := g.dial(), g.dial(), g.dial()
	_, _ = io.WriteString(first, plainGet)
	<-arrived
	_, _ = io.WriteString(second, plainGet)
	_, _ = io.WriteString(third, plainGet)
	_ = third.Close()
	close(release)
	<-arrived
	for _, c := range []net.Conn{first, second} {
		if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != 200 {
			t.Error(res, err)
		}
	}
	if _, err := first.Write([]byte(plainGet)); err != nil {
		t.Fatal(err)
	}
	_ = first.SetReadDeadline(time.Now().Add(ends.Patience))
	if res, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil || res.StatusCode != 200 {
		t.Fatal("the place of a client that went away was lost:", res, err)
	}
}
