//go:build linux

package conformance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// when is when a client ends its sending side.
type when string

const (
	together when = "with the request" // in the same segment
	later    when = "while it is answered"
)

// halfCloser is a gateway before an endpoint that answers /hold once it is told
// so, and anything else at once.
type halfCloser struct {
	*rig.Rig
	arrived chan string
	left    chan struct{} // the endpoint's client went away
	release chan struct{}
}

func halfClosing(t *testing.T, engine, mode string, change func(*config.Config)) *halfCloser {
	t.Helper()
	h := &halfCloser{arrived: make(chan string, 8), left: make(chan struct{}, 8), release: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		h.arrived <- r.URL.Path
		if strings.HasSuffix(r.URL.Path, "/hold") {
			select {
			case <-h.release:
			case <-r.Context().Done():
				h.left <- struct{}{}
				return
			}
		}
		fmt.Fprintf(w, "%s %s", r.URL.Path, b)
	}))
	t.Cleanup(s.Close)
	h.Rig = rig.Start(t, engine, func(c *config.Config) {
		c.HalfClose, c.Routes[0].PathPrefix = mode, "/r"
		c.Timeouts.Connect = 20 * time.Second
		if change != nil {
			change(c)
		}
	}, s.Listener.Addr().String())
	return h
}

// say sends raw and ends the sending side, all in one segment where it is to be
// so. The connection is the client's.
func (h *halfCloser) say(t *testing.T, raw string, at when) *client {
	t.Helper()
	c := dialClient(t, h.Addr)
	if at == together {
		cork(t, c.TCP())
	}
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	if at == later && strings.Contains(raw, "/hold") {
		<-h.arrived
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	return c
}

func cork(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, 1) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// errors waits until n exchanges are recorded as errors of clients.
func (h *halfCloser) errors(t *testing.T, n uint64) {
	t.Helper()
	for end := time.Now().Add(ends.Patience); h.Gate.Table().Total().Classes().ClientError != n; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d errors of clients are recorded, want %d", h.Gate.Table().Total().Classes().ClientError, n)
		}
	}
}

// all is what c gets until its connection ends.
func (c *client) all() string {
	c.t.Helper()
	b, err := io.ReadAll(c.in)
	if e, ok := err.(net.Error); ok && e.Timeout() {
		c.t.Fatalf("the connection hangs after %q", b)
	}
	return string(b)
}

const (
	heldGet     = "GET /r/hold HTTP/1.1\r\n" + host + "\r\n"
	heldPost    = "POST /r/hold HTTP/1.1\r\n" + host + "Content-Length: 4\r\n\r\nbody"
	heldChunked = "POST /r/hold HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
)

// TestHalfClose: what it means that a client ends its sending side depends on
// the configuration, and not on when it does.
func TestHalfClose(t *testing.T) {
	for _, engine := range rig.Ways {
		for _, at := range []when{together, later} {
			for name, raw := range map[string]string{"GET": heldGet, "POST": heldPost, "chunked": heldChunked} {
				t.Run(engine+"/cancel/"+name+" "+string(at), func(t *testing.T) {
					t.Parallel()
					h := halfClosing(t, engine, config.HalfCloseCancel, nil)
					if got := h.say(t, raw, at).all(); got != "" {
						t.Errorf("got %q", got)
					}
					h.errors(t, 1)
					if at == later {
						<-h.left
					}
				})
				t.Run(engine+"/answer/"+name+" "+string(at), func(t *testing.T) {
					t.Parallel()
					h := halfClosing(t, engine, config.HalfCloseAnswer, nil)
					c := h.say(t, raw, at)
					if at == together {
						<-h.arrived
					}
					time.Sleep(50 * time.Millisecond) // the end is noticed, which nothing shows
					close(h.release)
					if got := c.all(); !strings.HasPrefix(got, "HTTP/1.1 200 ") || !strings.Contains(got, "/r/hold") {
						t.Errorf("got %q", got)
					}
					h.errors(t, 0)
				})
			}
		}
	}
}

// What rgate answers by itself spares no endpoint, and costs nothing to send.
func TestHalfCloseBeforeAnAnswerOfRgatesOwn(t *testing.T) {
	both(t, func(t *testing.T, engine, mode string) {
		h := halfClosing(t, engine, mode, nil)
		for raw, want := range map[string]string{
			"GET /none HTTP/1.1\r\n" + host + "\r\n":  "HTTP/1.1 404 ",
			"GET /stats HTTP/1.1\r\n" + host + "\r\n": "HTTP/1.1 200 ",
			"nonsense\r\n\r\n":                        "HTTP/1.1 400 ",
		} {
			if got := h.say(t, raw, together).all(); !strings.HasPrefix(got, want) {
				t.Errorf("%q: got %q", raw, got)
			}
		}
	})
}

// A request that ends in the middle is no request.
func TestHalfCloseInTheMiddle(t *testing.T) {
	both(t, func(t *testing.T, engine, mode string) {
		h := halfClosing(t, engine, mode, nil)
		n := uint64(0)
		for _, at := range []when{together, later} {
			for _, raw := range []string{
				"POST /r/x HTTP/1.1\r\n" + host + "Content-Length: 40\r\n\r\nbody",
				"POST /r/x HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n",
			} {
				if got := h.say(t, raw, at).all(); got != "" {
					t.Errorf("%q: got %q", raw, got)
				}
				n++
				h.errors(t, n)
			}
		}
		select {
		case path := <-h.arrived:
			t.Errorf("the endpoint took %s for whole", path)
		default:
		}
	})
}

// Requests before the end are all given up, or all answered.
func TestHalfCloseBehindSeveralRequests(t *testing.T) {
	both(t, func(t *testing.T, engine, mode string) {
		h := halfClosing(t, engine, mode, nil)
		got := statuses(h.say(t, strings.Repeat("GET /r/x HTTP/1.1\r\n"+host+"\r\n", 3), together).all(), "GET")
		var want []int
		if mode == config.HalfCloseAnswer {
			want = []int{200, 200, 200}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestHalfCloseInTheQueue(t *testing.T) {
	both(t, func(t *testing.T, engine, mode string) {
		h := halfClosing(t, engine, mode, func(c *config.Config) { c.Backends[0].Traffic.MaxInFlight = 1 })
		first := dialClient(t, h.Addr)
		first.ask("/r/hold")
		<-h.arrived
		second := h.say(t, heldGet, together)
		if mode == config.HalfCloseCancel {
			if got := second.all(); got != "" {
				t.Errorf("got %q", got)
			}
			h.errors(t, 1)
		}
		close(h.release)
		first.want(200)
		if mode == config.HalfCloseAnswer {
			second.want(200)
		}
		first.ask("/r/x") // the queue is empty again
		first.want(200)
	})
}

// A body that is here whole is one, whether anybody has asked for it yet.
func TestHalfCloseBehindABodyInTheQueue(t *testing.T) {
	for _, engine := range rig.Ways {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			h := halfClosing(t, engine, config.HalfCloseAnswer, func(c *config.Config) { c.Backends[0].Traffic.MaxInFlight = 1 })
			first := dialClient(t, h.Addr)
			first.ask("/r/hold")
			<-h.arrived
			const upload = "POST /r/x HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\n"
			half := h.say(t, upload+"he", together)
			if got := half.all(); got != "" {
				t.Errorf("half of a body: got %q", got)
			}
			whole := h.say(t, upload+"hello", together)
			chunked := h.say(t, heldChunked, together)
			waits := h.Gate.Table().Routes[0].Targets[0].Stats
			for end := time.Now().Add(10 * time.Second); waits.InFlight() != 3; runtime.Gosched() {
				if time.Now().After(end) {
					t.Fatalf("%d are in flight", waits.InFlight())
				}
			}
			close(h.release)
			for _, c := range []*client{first, whole, chunked} {
				c.want(200)
			}
		})
	}
}

// A reset is an end in any case.
func TestResetIsNoHalfClose(t *testing.T) {
	both(t, func(t *testing.T, engine, mode string) {
		h := halfClosing(t, engine, mode, nil)
		c := dialClient(t, h.Addr)
		c.ask("/r/hold")
		<-h.arrived
		_ = c.TCP().SetLinger(0)
		_ = c.Close()
		<-h.left
		h.errors(t, 1)
	})
}

// both runs f for both engines and both ways to take a half-close.
func both(t *testing.T, f func(t *testing.T, engine, mode string)) {
	for _, engine := range rig.Ways {
		for _, mode := range []string{config.HalfCloseCancel, config.HalfCloseAnswer} {
			t.Run(engine+"/"+mode, func(t *testing.T) {
				t.Parallel()
				f(t, engine, mode)
			})
		}
	}
}
