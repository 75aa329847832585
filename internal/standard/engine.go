package standard

import (
	"context"
	"log/slog"
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
}

// Engine serves requests from listeners until it is shut down.
type Engine struct {
	gate *proxy.Gate
	log  *slog.Logger

	pools   pools
	trunks  trunks
	doors   doors
	crowd   crowd
	desks   chan struct{} // holds one for each handshake that computes
	lingers atomic.Int64  // clients that are listened to for a moment after their last answer
	running *flight       // of goroutines that serve a client
	linger  atomic.Int64  // of idle clients, in nanoseconds; 0 while it does not stop
	ctx     context.Context
	cut     context.CancelFunc // ends what waits beside connections
	date    atomic.Pointer[date]
	spare   sync.Pool  // of *exchange
	failed  chan error // gets why nothing can be accepted any more
}

// New makes an engine.
func New(o Options) *Engine {
	e := &Engine{gate: o.Gate, log: o.Log, running: newFlight(), desks: newDesks(), failed: make(chan error, 1)}
	e.doors.shut = make(chan struct{})
	e.ctx, e.cut = context.WithCancel(context.Background())
	return e
}

// Serve takes connections from the listeners until Shutdown, and then returns
// nil.
func (e *Engine) Serve(listeners ...*listen.Listener) error {
	for _, l := range listeners {
		if err := e.Open(l); err != nil {
			return err
		}
	}
	select {
	case <-e.doors.shut:
		return nil
	case err := <-e.failed:
		return err
	}
}

// Open takes connections from l as well. It may be called beside Serve.
func (e *Engine) Open(l *listen.Listener) error {
	one := &door{Listener: l, engine: e, closed: make(chan struct{})}
	if !e.doors.add(one) {
		return l.Close()
	}
	l.Attend()
	e.running.begin()
	go func() {
		err := one.serve()
		if err == nil || e.stopping() || l.Draining() {
			return
		}
		select {
		case e.failed <- err:
		default: // one is enough
		}
	}()
	return nil
}

// Forget closes the idle connections to an endpoint that is out of the table.
func (e *Engine) Forget(ep *upstream.Endpoint) {
	e.pools.forget(ep)
	e.trunks.forget(ep)
}

// date is the Date field's value, made once a second.
type date struct {
	second int64
	text   []byte
}

func (e *Engine) currentDate() []byte {
	now := time.Now()
	d := e.date.Load()
	if d == nil || d.second != now.Unix() {
		d = &date{now.Unix(), now.UTC().AppendFormat(nil, "Mon, 02 Jan 2006 15:04:05 GMT")}
		e.date.Store(d)
	}
	return d.text
}
