//go:build linux

package loop

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/listen"
	"rgate/internal/proxy"
	"rgate/internal/upstream"
)

// Options are what an engine is made of.
type Options struct {
	Gate *proxy.Gate
	Log  *slog.Logger
	// Loops is the number of threads; 0 for one per processor.
	Loops int
	// HandOver takes a connection that asks to become a WebSocket, or that has agreed
	// in TLS on another protocol. What was read from it already comes first when it is
	// read. It may wait, and Serve ends after it. Nil refuses such requests.
	HandOver func(net.Conn)
	// MakeRoom closes one of those handed over that does not get on and whose
	// peer weighs no less (proxy.Crowd), and tells whether there was any. It must
	// not wait. Nil has none.
	MakeRoom func(weight int) bool
}

// Engine moves the bytes of HTTP/1.x on epoll.
type Engine struct {
	gate     *proxy.Gate
	log      *slog.Logger
	handOver func(net.Conn)
	makeRoom func(weight int) bool
	loops    []*loop
	stopping atomic.Bool
	linger   time.Duration // of idle clients; set before stopping is
	done     chan struct{}
	crowd    proxy.Crowd    // those handed over are in it, too
	beside   sync.WaitGroup // what runs beside the loops: handing over

	mu        sync.Mutex
	serving   bool
	listeners []*listen.Listener // that are open
}

// New makes an engine. It holds descriptors until Serve or Shutdown returns.
func New(o Options) (*Engine, error) {
	e := &Engine{gate: o.Gate, log: o.Log, handOver: o.HandOver, makeRoom: o.MakeRoom, done: make(chan struct{})}
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

// Serve accepts from the listeners, of TCP, until Shutdown. It closes them.
func (e *Engine) Serve(listeners ...*listen.Listener) error {
	defer func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}()
	e.mu.Lock()
	if e.stopping.Load() {
		e.mu.Unlock()
		return nil
	}
	e.serving = true
	e.mu.Unlock()
	defer close(e.done)
	for _, l := range listeners {
		if err := e.Open(l); err != nil {
			for _, lp := range e.loops {
				lp.end()
			}
			return err
		}
	}
	var wg sync.WaitGroup
	for _, lp := range e.loops {
		wg.Go(lp.run)
	}
	wg.Wait()
	e.beside.Wait()
	return nil
}

// Open accepts from l as well, each loop by a descriptor of its own. It may be
// called beside Serve.
func (e *Engine) Open(l *listen.Listener) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopping.Load() {
		return l.Close()
	}
	doors := make([]*door, 0, len(e.loops))
	for range e.loops {
		d, err := newDoor(l)
		if err != nil {
			for _, d := range doors {
				d.close()
			}
			return err
		}
		doors = append(doors, d)
	}
	e.listeners = append(e.listeners, l)
	for i, lp := range e.loops {
		lp.openDoor(doors[i])
	}
	return nil
}

// Drain accepts no more from l, once what waits to be accepted is, and lets the
// exchanges of its connections come to their end, as Shutdown does with all.
// That they have, l tells. It does not wait.
func (e *Engine) Drain(l *listen.Listener, linger time.Duration) {
	l.Drain(linger)
	e.mu.Lock()
	e.listeners = slices.DeleteFunc(slices.Clone(e.listeners), func(other *listen.Listener) bool { return other == l })
	e.mu.Unlock()
	_ = l.Close() // as in Shutdown
	for _, lp := range e.loops {
		lp.post(func() { lp.drainBy(l) })
	}
}

// Cut closes the connections that came by l.
func (e *Engine) Cut(l *listen.Listener) {
	for _, lp := range e.loops {
		lp.post(func() { lp.closeAll(l) })
	}
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
	serving, first := e.serving, !e.stopping.Load()
	if first {
		e.linger = linger
		e.stopping.Store(true)
	}
	listeners := e.listeners
	e.mu.Unlock()
	if !serving {
		if first {
			for _, l := range e.loops {
				l.end()
			}
		}
		return nil
	}
	for _, l := range listeners {
		_ = l.Close() // the loops hold the socket until they have emptied its queue
	}
	for _, l := range e.loops {
		l.post(l.quiesce)
	}
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
	}
	for _, l := range e.loops {
		l.post(func() { l.closeAll(nil) })
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
