//go:build linux

package loop

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

const (
	closingGet = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	halfPost   = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"
	halfChunk  = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"
)

// lives are the ways in which a client's connection comes to its end. Most end
// with a reset: a connection closed in order holds its port, and its place in
// the kernel's connection tracking, for minutes.
var lives = []func(c *net.TCPConn) error{
	func(c *net.TCPConn) error { return reset(c, ordinary(c)) },
	func(c *net.TCPConn) error { return reset(c, errorOf(io.WriteString(c, plainGet))) },
	func(c *net.TCPConn) error { return reset(c, errorOf(io.WriteString(c, "GET / HTT"))) },
	func(c *net.TCPConn) error { return reset(c, errorOf(io.WriteString(c, halfPost))) },
	func(c *net.TCPConn) error { return reset(c, errorOf(io.WriteString(c, halfChunk))) },
	func(c *net.TCPConn) error { return reset(c, nil) },
	halfClose,
	leave,
}

// reset has the closing of c reset it.
func reset(c *net.TCPConn, err error) error {
	_ = c.SetLinger(0)
	return err
}

// halfClose ends its side behind the request, and takes the answer to its end.
func halfClose(c *net.TCPConn) error {
	if _, err := io.WriteString(c, closingGet); err != nil {
		return err
	}
	_ = c.CloseWrite()
	return errorOf(io.Copy(io.Discard, c))
}

// leave goes in order, in the middle of something.
func leave(c *net.TCPConn) error {
	parts := []string{"", "GET / HTT", plainGet, halfPost, halfChunk}
	return errorOf(io.WriteString(c, parts[rand.IntN(len(parts))]))
}

func errorOf[N int | int64](_ N, err error) error { return err }

// ordinary asks, takes the answer and leaves.
func ordinary(c *net.TCPConn) error {
	if _, err := io.WriteString(c, plainGet); err != nil {
		return err
	}
	var b [512]byte
	n, err := c.Read(b[:])
	if err == nil && !strings.HasPrefix(string(b[:n]), "HTTP/1.1 200 ") {
		err = fmt.Errorf("got %q", b[:n])
	}
	return err
}

// resetting is an endpoint whose connections leave no trace either.
func resetting(t *testing.T) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// churn opens and ends n connections to g.
func churn(t *testing.T, g *gate, n int) {
	t.Helper()
	const workers = 8
	d := net.Dialer{KeepAlive: -1} // a few system calls less
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := range n / workers {
				c, err := d.Dial("tcp", g.addr)
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.SetDeadline(time.Now().Add(ends.Patience))
				kind := (i + worker) % len(lives)
				if err := lives[kind](c.(*net.TCPConn)); err != nil {
					t.Errorf("life %d: %v", kind, err)
				}
				_ = c.Close()
			}
		})
	}
	wg.Wait()
	settle(t, g)
}

// settle waits until no loop has a client. Connections are accepted in their
// order: once a last one is answered, all are some loop's.
func settle(t *testing.T, g *gate) {
	t.Helper()
	if got := g.exchange(closingGet); !strings.Contains(got, "hello") {
		t.Fatalf("got %q", got)
	}
	ends.Until(t, "no connection is left", func() bool {
		left := 0
		g.engine.within(func(l *loop) { left += l.conns })
		return left == 0
	})
	if n, conns := g.table.Total().InFlight, g.engine.crowd.Size(); n != 0 || conns != 0 {
		t.Errorf("%d exchanges and %d connections are still counted", n, conns)
	}
}

// within runs f in each loop, one after the other.
func (e *Engine) within(f func(*loop)) {
	for _, l := range e.loops {
		done := make(chan struct{})
		l.post(func() { defer close(done); f(l) })
		<-done
	}
}

// holdings are what the loops of an engine without clients hold.
type holdings struct{ buffers, works []int }

// inspect looks at them from inside each loop, and fails where something is
// held twice, or for a client that is gone.
func inspect(t *testing.T, e *Engine) (h holdings) {
	t.Helper()
	e.within(func(l *loop) {
		h.buffers, h.works = append(h.buffers, len(l.mem.All())), append(h.works, len(l.works))
		inspectLoop(t, l)
	})
	return h
}

func inspectLoop(t *testing.T, l *loop) {
	seen := map[any]bool{}
	once := func(p any) {
		if seen[p] {
			t.Errorf("%T is in a free list twice", p)
		}
		seen[p] = true
	}
	for _, b := range l.mem.All() {
		once(unsafe.SliceData(b))
	}
	for _, w := range l.works {
		once(w)
	}
	idle, watched, timed := 0, 0, 0
	for _, p := range l.pools {
		idle += len(p.idle)
	}
	for _, s := range l.socks {
		if s.client != nil {
			t.Error("a client that is gone has a descriptor")
		}
		if s.origin != nil {
			watched++
		}
	}
	for i := range l.wheel.slots {
		for tm, head := l.wheel.slots[i].next, &l.wheel.slots[i]; tm != head; tm = tm.next {
			timed++
		}
	}
	if watched != idle || timed != idle || l.conns != 0 || len(l.again) != 0 {
		t.Errorf("%d idle upstream connections, but %d descriptors, %d timers, %d clients, %d to be driven", idle, watched, timed, l.conns, len(l.again))
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers held goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestFiftyThousandConnectionsLeaveNothingBehind looks at what the loops hold
// after a tenth and after all of them.
func TestFiftyThousandConnectionsLeaveNothingBehind(t *testing.T) {
	n := 50_000
	if raced || testing.Short() {
		n = 5000
	}
	fds, goroutines := descriptors(t), runtime.NumGoroutine()
	t.Run("churn", func(t *testing.T) {
		g := start(t, func(c *config.Config, o *Options) {
			o.Loops, c.Timeouts.Connect = 2, 10*time.Second
		}, resetting(t), resetting(t))
		churn(t, g, n/10)
		first, before := inspect(t, g.engine), heap()
		churn(t, g, n-n/10)
		last, after := inspect(t, g.engine), heap()
		for i := range first.buffers {
			// Lists only grow: what leaves one comes back.
			if last.buffers[i] < first.buffers[i] || last.works[i] < first.works[i] {
				t.Errorf("loop %d: %d buffers and %d works after a tenth, %d and %d at the end", i, first.buffers[i], first.works[i], last.buffers[i], last.works[i])
			}
		}
		if after > before+2<<20 {
			t.Errorf("the heap holds %d bytes, %d before", after, before)
		}
		t.Logf("%d KB of heap after a tenth, %d KB at the end; buffers %v, %v", before>>10, after>>10, first.buffers, last.buffers)
	})
	if after := descriptors(t); after > fds+1 { // the runtime's own epoll may be new
		t.Errorf("%d descriptors, %d before", after, fds)
	}
	ends.Until(t, "there are no more goroutines than before", func() bool { return runtime.NumGoroutine() <= goroutines })
}
