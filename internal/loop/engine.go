//go:build linux

package loop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/proxy"
	"rgate/internal/upstream"
)

// Options are what an engine is made of.
type Options struct {
	Gate *proxy.Gate
	Log  *slog.Logger
	// Loops is the number of threads; 0 for one per processor.
	Loops int
	// HandOver takes a connection that asks to become a WebSocket. What was read from it
	// already comes first when it is read. It may wait, and Serve ends after it.
	// Nil refuses such requests.
	HandOver func(net.Conn)
	// MakeRoom closes one of those handed over that does not get on, and tells
	// whether there was any. It must not wait. Nil has none.
	MakeRoom func() bool
	// Inform makes the statistics page. It may wait, and of the exchange it has
	// the method, the path, the query and who asks. Nil refuses to.
	Inform func(*proxy.Exchange) *proxy.Answer
}

// Engine moves the bytes of plain HTTP/1.x on epoll.
type Engine struct {
	gate     *proxy.Gate
	log      *slog.Logger
	handOver func(net.Conn)
	makeRoom func() bool
	inform   func(*proxy.Exchange) *proxy.Answer
	loops    []*loop
	stopping atomic.Bool
	linger   time.Duration // of idle clients; set before stopping is
	done     chan struct{}
	crowd    proxy.Crowd    // those handed over are in it, too
	beside   sync.WaitGroup // what runs beside the loops: handing over, making pages

	mu       sync.Mutex
	listener net.Listener // what Serve serves
}

// New makes an engine. It holds descriptors until Serve or Shutdown returns.
func New(o Options) (*Engine, error) {
	e := &Engine{gate: o.Gate, log: o.Log, handOver: o.HandOver, makeRoom: o.MakeRoom, inform: o.Inform, done: make(chan struct{})}
	n := o.Loops
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	for range n {
		l, err := newLoop(e)
		if err != nil {
			for _, l := range e.loops {
				l.closeFDs()
			}
			return nil, fmt.Errorf("cannot make an event loop: %w", err)
		}
		e.loops = append(e.loops, l)
	}
	return e, nil
}

// Serve accepts from l, a TCP listener, until Shutdown. It closes l.
func (e *Engine) Serve(l net.Listener) error {
	defer l.Close()
	e.mu.Lock()
	if e.stopping.Load() {
		e.mu.Unlock()
		return nil
	}
	e.listener = l
	e.mu.Unlock()
	defer close(e.done)
	if err := e.listen(l); err != nil {
		for _, lp := range e.loops {
			lp.end()
		}
		return err
	}
	var wg sync.WaitGroup
	for _, lp := range e.loops {
		wg.Go(lp.run)
	}
	wg.Wait()
	e.beside.Wait()
	return nil
}

// listen gives each loop a descriptor of its own of the listening socket.
func (e *Engine) listen(l net.Listener) error {
	sc, ok := l.(syscall.Conn)
	if !ok {
		return errors.New("cannot serve: not a socket")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return fmt.Errorf("cannot serve: %w", err)
	}
	for _, lp := range e.loops {
		fd, dupErr := -1, error(nil)
		err := raw.Control(func(orig uintptr) { fd, dupErr = unix.FcntlInt(orig, unix.F_DUPFD_CLOEXEC, 0) })
		if err = errors.Join(err, dupErr); err == nil {
			err = lp.listen(fd)
		}
		if err != nil {
			return fmt.Errorf("cannot listen in a loop: %w", err)
		}
	}
	return nil
}

// Shutdown stops accepting, once what waits to be accepted is, and lets the
// exchanges under way come to their end. An idle client is kept for linger, and
// answered with Connection: close where it does ask for something. What is left
// when ctx ends is closed then.
//
// Descriptors are closed and the socket itself is left alone: after an upgrade
// another process accepts from it.
func (e *Engine) Shutdown(ctx context.Context, linger time.Duration) error {
	e.mu.Lock()
	l, first := e.listener, !e.stopping.Load()
	if first {
		e.linger = linger
		e.stopping.Store(true)
	}
	e.mu.Unlock()
	if l == nil {
		if first {
			for _, l := range e.loops {
				l.end()
			}
		}
		return nil
	}
	_ = l.Close() // the loops hold the socket until they have emptied its queue
	for _, l := range e.loops {
		l.post(l.quiesce)
	}
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
	}
	for _, l := range e.loops {
		l.post(l.closeAll)
	}
	<-e.done
	return ctx.Err()
}

// Forget closes the idle connections to an endpoint that is out of the table.
func (e *Engine) Forget(ep *upstream.Endpoint) {
	for _, l := range e.loops {
		l.post(func() { l.forget(ep) })
	}
}
