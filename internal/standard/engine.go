package standard

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"sync/atomic"

	"rgate/internal/config"
	"rgate/internal/proxy"
	"rgate/internal/upstream"
)

// Options are what an engine is made of.
type Options struct {
	Gate   *proxy.Gate
	Config *config.Config // timeouts and limits of the server, which a reload does not change
	Log    *slog.Logger
	Inform func(*proxy.Exchange) *proxy.Answer // the statistics page
}

// Engine serves requests from listeners until it is shut down.
type Engine struct {
	gate    *proxy.Gate
	log     *slog.Logger
	inform  func(*proxy.Exchange) *proxy.Answer
	server  *http.Server
	forward httputil.ReverseProxy

	transports sync.Map // *upstream.Endpoint → *transport
	doors      doors
	crowd      crowd
	stopping   atomic.Bool
	running    *flight // upgraded connections too
	cut        context.CancelFunc
}

// New makes an engine.
func New(o Options) *Engine {
	e := &Engine{gate: o.Gate, log: o.Log, inform: o.Inform, running: newFlight()}
	base, cut := context.WithCancel(context.Background())
	e.cut = cut
	quiet := slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)
	e.server = &http.Server{
		Handler:                      e,
		ReadHeaderTimeout:            o.Config.Timeouts.ClientHeader,
		IdleTimeout:                  o.Config.Timeouts.Idle,
		MaxHeaderBytes:               maxHeaderBytes(o.Config.Limits.HeaderBytes),
		ErrorLog:                     quiet,
		DisableGeneralOptionsHandler: true,
		BaseContext:                  func(net.Listener) context.Context { return base },
		ConnContext:                  withClientConn,
		ConnState:                    trackState,
	}
	e.forward = httputil.ReverseProxy{
		Rewrite:       rewrite,
		Transport:     attempts{},
		FlushInterval: -1,
		ErrorLog:      quiet,
		BufferPool:    &buffers{},
		ErrorHandler:  failed,
	}
	return e
}

// maxHeaderBytes is what makes net/http, which allows 4096 bytes on top, hold
// to limit as far as it can.
func maxHeaderBytes(limit int) int { return max(limit-4096, 1) }

// Serve takes connections from l until Shutdown, and then returns nil.
func (e *Engine) Serve(l net.Listener) error {
	door := &listener{Listener: l, engine: e, closed: make(chan struct{})}
	if !e.doors.add(door) {
		return l.Close()
	}
	err := e.server.Serve(door)
	if e.stopping.Load() {
		return nil
	}
	return err
}

// Forget closes the idle connections to an endpoint that has drained.
func (e *Engine) Forget(ep *upstream.Endpoint) {
	if t, ok := e.transports.LoadAndDelete(ep); ok {
		t.(*transport).CloseIdleConnections()
	}
}

func (e *Engine) closeTransports() {
	e.transports.Range(func(_, t any) bool {
		t.(*transport).CloseIdleConnections()
		return true
	})
}

// buffers lends the buffers that bodies are copied through.
type buffers struct{ pool sync.Pool }

// Get lends a buffer.
func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

// Put takes it back.
func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
