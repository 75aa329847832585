//go:build linux

package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"rgate/internal/config"
	front "rgate/internal/listen"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// halls is a gateway with two listeners, whose endpoint answers /slow only once
// it may.
type halls struct {
	*rig.Rig
	second *front.Listener
	began  chan struct{} // gets a token per slow request
	may    chan struct{}
}

func twoHalls(t *testing.T, engine string, change func(*config.Config)) *halls {
	t.Helper()
	h := &halls{began: make(chan struct{}, 10), may: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			h.began <- struct{}{}
			select {
			case <-h.may:
			case <-r.Context().Done():
			}
		}
		if r.Header.Get("Upgrade") != "" {
			c, in, _ := w.(http.Hijacker).Hijack()
			defer c.Close()
			fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			_, _ = in.WriteTo(c)
			return
		}
		fmt.Fprint(w, "ok")
	}))
	t.Cleanup(s.Close)
	h.Rig = rig.Start(t, engine, change, s.Listener.Addr().String())
	h.second = h.Rig.Listen(t)
	return h
}

// caller is a client on a connection.
type caller struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func call(t *testing.T, addr string) *caller {
	c, in := dial(t, addr)
	return &caller{t, c, in}
}

func (c *caller) ask(path string) {
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path)
}

// answered reads an answer of 200, and tells whether it is the last.
func (c *caller) answered() (last bool) {
	c.t.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || string(body) != "ok" {
		c.t.Fatalf("%s %q %v", res.Status, body, err)
	}
	return res.Close
}

func (c *caller) ended() {
	c.t.Helper()
	if b, err := io.ReadAll(c.in); err != nil || len(b) > 0 {
		c.t.Errorf("%q %v instead of the end", b, err)
	}
}

func isGone(l *front.Listener) bool {
	select {
	case <-l.Gone():
		return true
	default:
		return false
	}
}

// refuses waits until nobody listens at address any more.
func refuses(t *testing.T, address string) {
	t.Helper()
	for end := time.Now().Add(ends.Patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		_ = c.Close()
	}
	t.Error("it still listens")
}

func awaitGone(t *testing.T, l *front.Listener) {
	t.Helper()
	select {
	case <-l.Gone():
	case <-time.After(10 * time.Second):
		t.Error("the listener is not gone")
	}
}

// One of two listeners goes: it accepts no more, its quiet connections end, its
// exchanges are answered for the last time, and the other serves on.
func TestAListenerDrains(t *testing.T) {
	for _, engine := range rig.Ways {
		t.Run(engine, func(t *testing.T) {
			h := twoHalls(t, engine, nil)
			address := h.second.Addr().String()
			stays, quiet, unused, busy := call(t, h.Addr), call(t, address), call(t, address), call(t, address)
			for _, c := range []*caller{stays, quiet} {
				if c.ask("/"); c.answered() {
					t.Fatal("it ends before anything does")
				}
			}
			busy.ask("/slow")
			<-h.began
			h.Drain(h.second, time.Millisecond)
			quiet.ended()
			unused.ended()
			refuses(t, address)
			if isGone(h.second) {
				t.Error("it is gone before its last exchange")
			}
			close(h.may)
			if !busy.answered() {
				t.Error("the last answer does not say so")
			}
			busy.ended()
			_ = busy.Close() // it is listened to until then
			awaitGone(t, h.second)
			if stays.ask("/"); stays.answered() {
				t.Error("the other listener's connections end, too")
			}
		})
	}
}

// What does not end by itself is cut, a WebSocket too, and nothing else is.
func TestAListenerIsCut(t *testing.T) {
	for _, engine := range rig.Ways {
		t.Run(engine, func(t *testing.T) {
			h := twoHalls(t, engine, nil)
			address := h.second.Addr().String()
			stays, busy, ws := call(t, h.Addr), call(t, address), call(t, address)
			stays.ask("/slow")
			<-h.began
			busy.ask("/slow")
			<-h.began
			fmt.Fprint(ws, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
			if res, err := http.ReadResponse(ws.in, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("%+v %v", res, err)
			}
			h.Drain(h.second, time.Millisecond)
			fmt.Fprintln(ws, "a word")
			if back, err := ws.in.ReadString('\n'); back != "a word\n" {
				t.Errorf("%q %v", back, err)
			}
			h.Cut(h.second)
			awaitGone(t, h.second)
			for _, c := range []*caller{busy, ws} {
				if b, _ := io.ReadAll(c.in); len(b) > 0 {
					t.Errorf("%q after the cut", b)
				}
			}
			close(h.may)
			if stays.answered() {
				t.Error("the other listener's connections end, too")
			}
		})
	}
}

// The limits hold over all listeners together.
func TestListenersShareTheRoom(t *testing.T) {
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			h := twoHalls(t, engine, func(c *config.Config) { c.Limits.ConnectionsPerClient = 2 })
			one, other := call(t, h.Addr), call(t, h.second.Addr().String())
			for _, c := range []*caller{one, other} {
				if c.ask("/"); c.answered() {
					t.Error("there is no room for two")
				}
			}
			third := call(t, h.second.Addr().String())
			third.ask("/")
			if res, err := http.ReadResponse(third.in, nil); err != nil || res.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%+v %v instead of 503", res, err)
			}
		})
	}
}
