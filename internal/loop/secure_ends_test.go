//go:build linux

package loop

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

// secureLives are the ways in which a client's connection with TLS comes to its end.
var secureLives = []func(c *net.TCPConn) error{
	func(c *net.TCPConn) error { return nil },
	func(c *net.TCPConn) error {
		return errorOf(io.WriteString(c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))
	},
	func(c *net.TCPConn) error { return errorOf(io.WriteString(c, plainGet)) },
	func(c *net.TCPConn) error { return interrupted(c, 1) },
	func(c *net.TCPConn) error { return interrupted(c, 2) },
	func(c *net.TCPConn) error { return securely(c, "") },
	func(c *net.TCPConn) error { return securely(c, "GET / HTT") },
	func(c *net.TCPConn) error { return securely(c, halfPost) },
	func(c *net.TCPConn) error { return securely(c, secureGet) },
	func(c *net.TCPConn) error { return securely(c, secureGet+secureGet) },
}

// interrupted is a handshake that its client breaks off after so many writes or reads.
func interrupted(c *net.TCPConn, steps int) error {
	_ = tls.Client(&breaking{c, steps}, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"}).Handshake()
	return nil
}

type breaking struct {
	net.Conn
	left int
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.left--; b.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return b.Conn.Read(p)
}

func (b *breaking) Write(p []byte) (int, error) {
	if b.left--; b.left < 0 {
		return b.Conn.Write(p[:rand.IntN(len(p))])
	}
	return b.Conn.Write(p)
}

// securely says something in TLS, and leaves with or without its end.
func securely(c *net.TCPConn, what string) error {
	s := tls.Client(c, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
	if _, err := io.WriteString(s, what); err != nil {
		return err
	}
	if what == secureGet {
		resp, err := http.ReadResponse(bufio.NewReader(s), nil)
		if err != nil || resp.StatusCode != 200 {
			return fmt.Errorf("got %v, %w", resp, err)
		}
	}
	if rand.IntN(2) == 0 {
		_ = s.CloseWrite()
	}
	return nil
}

// Connections with TLS, however they end, leave nothing behind.
func TestConnectionsWithTLSLeaveNothingBehind(t *testing.T) {
	n := 4000
	if raced || testing.Short() {
		n = 800
	}
	fds, goroutines := descriptors(t), runtime.NumGoroutine()
	t.Run("churn", func(t *testing.T) {
		g := start(t, func(_ *config.Config, o *Options) { o.Loops = 2 }, resetting(t))
		addr := g.secure("a.example")
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				for i := range n / 4 {
					c, err := net.Dial("tcp", addr)
					if err != nil {
						t.Error(err)
						return
					}
					_ = c.SetDeadline(time.Now().Add(ends.Patience))
					kind := (i + worker) % len(secureLives)
					err = secureLives[kind](c.(*net.TCPConn))
					if err = reset(c.(*net.TCPConn), err); err != nil {
						t.Errorf("life %d: %v", kind, err)
					}
					_ = c.Close()
				}
			})
		}
		wg.Wait()
		settle(t, g)
		inspect(t, g.engine)
		g.engine.within(func(l *loop) {
			seen := map[*stepper]bool{}
			for _, p := range l.steppers {
				if seen[p] || p.work != nil {
					t.Error("a stepper is kept twice, or at work")
				}
				seen[p] = true
			}
			if len(l.greets) > 0 || cap(l.mem.records) > 2*bulkSize {
				t.Errorf("%d handshakes are waited for, and %d bytes kept for records", len(l.greets), cap(l.mem.records))
			}
		})
	})
	if after := descriptors(t); after > fds+1 { // the runtime's own epoll may be new
		t.Errorf("%d descriptors, %d before", after, fds)
	}
	ends.Until(t, "there are no more goroutines than before", func() bool { return runtime.NumGoroutine() <= goroutines })
}

// Who has not begun a handshake keeps no end waiting for one, and who has is served.
func TestHandshakesAtTheEnd(t *testing.T) {
	for name, linger := range map[string]time.Duration{"at once": 0, "soon": 10 * time.Millisecond, "a late one": time.Hour} {
		t.Run(name, func(t *testing.T) {
			g := start(t, func(c *config.Config, _ *Options) { c.Timeouts.ClientHeader = time.Hour }, serve(t, hello))
			addr := g.secure("a.example")
			mute, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer mute.Close()
			_ = mute.SetDeadline(time.Now().Add(ends.Patience))
			ends.Until(t, "it is accepted", func() bool { return g.engine.crowd.Size() == 1 })
			ended := make(chan error, 1)
			go func() { ended <- g.engine.Shutdown(context.Background(), linger) }()
			ends.Until(t, "it stops", func() bool { return g.engine.stopping.Load() })
			if linger < time.Second {
				if _, err := io.ReadAll(mute); err != nil {
					t.Error(err)
				}
			} else {
				c := greet(t, mute, nil)
				if resp, _ := ask(t, c, bufio.NewReader(c), secureGet); resp.StatusCode != 200 || !resp.Close {
					t.Errorf("%s, close %v", resp.Status, resp.Close)
				}
			}
			_ = mute.Close()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// A handshake under way is cut where all is.
func TestHandshakesAreCut(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) { c.Timeouts.ClientHeader = time.Hour }, serve(t, hello))
	c, err := net.Dial("tcp", g.secure("a.example"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
	ends.Until(t, "it is under way", func() (under bool) {
		g.engine.within(func(l *loop) {
			for _, s := range l.socks {
				under = under || s.client != nil && s.client.tls != nil && s.client.tls.hello != nil
			}
		})
		return under
	})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := g.engine.Shutdown(ctx, 0); err != context.Canceled {
		t.Error(err)
	}
}

// A client that takes its answers slowly, while it sends, gets and is given all.
func TestSlowBothWaysInTLS(t *testing.T) {
	const size = 4 << 20
	b := serve(t, func(w http.ResponseWriter, q *http.Request) {
		n, _ := io.Copy(io.Discard, q.Body)
		w.Header().Set("Content-Length", fmt.Sprint(size))
		w.Header().Set("X-Got", fmt.Sprint(n))
		out := bufio.NewWriterSize(w, 32<<10)
		for i := range size / 8 {
			_, _ = fmt.Fprintf(out, "%8d", i)
		}
		_ = out.Flush()
	})
	g := start(t, nil, b)
	for version, only := range versions {
		t.Run(version, func(t *testing.T) {
			c := dialTLS(t, g.secure("a.example"), only)
			go func() {
				for range 2 { // the second comes while the first is answered
					_, _ = fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n", size)
					_, _ = io.CopyN(c, zeros{}, size)
				}
			}()
			ends.Until(t, "records are left", func() (left bool) {
				g.engine.within(func(l *loop) {
					for _, s := range l.socks {
						left = left || s.client != nil && s.client.tls != nil && len(s.client.tls.rest) > 0
					}
				})
				return left
			})
			in := bufio.NewReader(c)
			for range 2 {
				resp, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got := resp.Header.Get("X-Got"); got != fmt.Sprint(size) {
					t.Errorf("%s bytes arrive", got)
				}
				var word [8]byte
				for i := range size / 8 {
					if _, err := io.ReadFull(resp.Body, word[:]); err != nil || string(word[:]) != fmt.Sprintf("%8d", i) {
						t.Fatalf("at %d: %q, %v", i, word[:], err)
					}
				}
				_, _ = io.Copy(io.Discard, resp.Body)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// quiet is g's only client, which has TLS, once it is quiet.
func (g *gate) quiet() (c *conn) {
	g.t.Helper()
	ends.Until(g.t, "it is quiet", func() bool {
		g.engine.within(func(l *loop) {
			for _, s := range l.socks {
				if s.client != nil && s.client.phase == phaseHead && s.client.work == nil {
					c = s.client
				}
			}
		})
		return c != nil
	})
	return c
}

// An end that does not fit the socket goes out once it does, and the connection's own
// end after it.
func TestALateEndInTLS(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	k := newTalker(t, g.secure("a.example"))
	k.say(secureGet)
	if _, err := k.hear(answered(1)); err != nil {
		t.Fatal(err)
	}
	c := g.quiet()
	g.engine.within(func(l *loop) {
		c.writable = false
		l.hangUp(c)
		if c.phase != phaseLinger || len(c.tls.rest) == 0 {
			t.Errorf("in phase %d with %d bytes left", c.phase, len(c.tls.rest))
		}
		l.drive(c)
	})
	g.engine.within(func(l *loop) {
		c.writable = true
		l.stir(c)
		l.drive(c)
	})
	if said, err := k.hear(nil); said != "" || err.Error() != "alert 0" {
		t.Errorf("%q, %v", said, err)
	}
	if _, _, err := k.next(); err != io.EOF {
		t.Errorf("after that: %v", err)
	}
}

// A client that sends in small pieces, each once the one before was acknowledged, gets
// its first answer as soon as its others: nothing of its handshake waits for that.
func TestNoDelayAfterAHandshake(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	addr := g.secure("a.example")
	soonest := time.Hour
	for range 10 {
		raw, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.(*net.TCPConn).SetNoDelay(false)
		c := greet(t, raw, nil)
		began := time.Now()
		ask(t, c, bufio.NewReader(c), secureGet)
		soonest = min(soonest, time.Since(began))
		_ = c.Close()
	}
	if soonest > 30*time.Millisecond { // an acknowledgement that waits for company takes 40
		t.Errorf("the soonest first answer takes %v", soonest)
	}
}

// What the socket does not take is not written, and goes out once, when it does.
func TestRecordsThatDoNotFit(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	k := newTalker(t, g.secure("a.example"))
	c := g.quiet()
	g.engine.within(func(*loop) {
		c.writable = false
		for range 3 {
			if n, errno := c.write([]byte("once")); n != 0 || errno != unix.EAGAIN {
				t.Errorf("%d bytes are written, %v", n, errno)
			}
		}
		c.writable = true
		if n, errno := c.write([]byte("once and again")); n != 4 || errno != 0 {
			t.Errorf("then %d bytes are, %v", n, errno)
		}
	})
	if said, err := k.hear(func(said string) bool { return said != "" }); said != "once" || err != nil {
		t.Errorf("%q, %v", said, err)
	}
}

// What goes out first after a handing over is what did not before.
func TestRecordsThatAreHandedOver(t *testing.T) {
	below := &tape{}
	s := &secure{below: below, rest: []byte("before ")}
	for _, word := range []string{"after", " all"} {
		if n, err := io.WriteString(s, word); n != len(word) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if got := below.out.String(); got != "before after all" {
		t.Errorf("%q", got)
	}
}

// A client whose time is over, and which has begun a record at that moment, but no
// request, is told so, and closed.
func TestTheLastMomentInTLS(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) { c.Timeouts.ClientHeader = time.Hour }, serve(t, hello))
	k := newTalker(t, g.secure("a.example"))
	c := g.quiet()
	g.engine.within(func(l *loop) {
		k.put(k.record(recordData, []byte(secureGet))[:9])
		l.leave(c)
	})
	if said, err := k.hear(nil); said != "" || err.Error() != "alert 0" {
		t.Errorf("%q, %v", said, err)
	}
}
