package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/admin"
	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/proxy"
	"rgate/internal/route"
	"rgate/internal/standard"
	"rgate/internal/stats"
)

// Source is a discovery source that can be told to look for something else.
type Source interface {
	discovery.Source
	Select(selectors []discovery.Selector)
}

// linger is how long an idle client connection is kept while rgate ends: its
// next request, already on the way, is then still answered.
const linger = time.Second

// Options are what a gateway is made of.
type Options struct {
	File   string                           // config file that is watched; "" where Config did not come from one
	Config *config.Config                   // valid
	Listen string                           // address; "" for the config's, else ":8080"
	Socket string                           // admin socket; "" for the config's, else admin.SocketPath
	Log    *slog.Logger                     // nil for slog.Default
	Env    func(name string) (string, bool) // for ${VAR} on reload; nil for the process's
	Source Source                           // nil for the Docker engine that the config names
	Poll   time.Duration                    // how often the file is read; 0 for a second
}

// Gateway is a running gateway. New opens what can fail to open, Run serves.
type Gateway struct {
	options Options
	log     *slog.Logger
	gate    *proxy.Gate
	engine  engine
	source  Source

	listener net.Listener
	socket   net.Listener // nil where commands cannot be served

	file     *watchedFile
	views    viewSlot
	reloads  chan reload
	rejected atomic.Int64 // reloads whose file was bad
	viewed   atomic.Bool  // a first view is in, or none is needed
	leaving  atomic.Bool
	ended    chan struct{} // closed when the owner ended

	owned   sync.WaitGroup // goroutines that end with Run
	probing probes
}

// New opens the listener and the admin socket. An admin socket that cannot be
// opened is logged, not fatal: traffic matters more than commands.
func New(o Options) (*Gateway, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	if o.Listen == "" {
		o.Listen = o.Config.Listen
	}
	if o.Listen == "" {
		o.Listen = ":8080"
	}
	g := &Gateway{options: o, log: o.Log, file: newWatchedFile(o.File), reloads: make(chan reload), ended: make(chan struct{}), views: newViewSlot()}
	g.gate = proxy.NewGate(route.Build(o.Config, nil, nil), o.Log)
	if err := g.openSource(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w (is another program on that port? choose one with --port)", o.Listen, err)
	}
	g.listener = l
	g.engine, err = g.newEngine(standard.Options{Gate: g.gate, Config: o.Config, Log: o.Log, Inform: admin.Stats(g.gate.Table)})
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	g.openSocket()
	return g, nil
}

func (g *Gateway) openSocket() {
	path := g.options.Socket
	if path == "" {
		path = g.options.Config.Admin.Socket
	}
	if tcp, ok := g.listener.Addr().(*net.TCPAddr); path == "" && ok {
		path = admin.SocketPath(tcp.Port)
	}
	l, err := admin.Listen(path)
	if err != nil {
		g.log.Warn("commands such as `rgate stats` will not reach this gateway", "error", err)
		return
	}
	g.socket = l
}

// Addr is the address that takes traffic.
func (g *Gateway) Addr() net.Addr { return g.listener.Addr() }

// Report is the traffic so far.
func (g *Gateway) Report() stats.Report { return g.gate.Table().Total().Report() }

// Table is the table of the moment.
func (g *Gateway) Table() *route.Table { return g.gate.Table() }

// Ready is nil while requests should come here: a first view is in and the
// gateway does not leave.
func (g *Gateway) Ready() error {
	switch {
	case g.leaving.Load():
		return errors.New("draining")
	case !g.viewed.Load():
		return errors.New("no view of the engine yet")
	}
	return nil
}

// Run serves until ctx ends, then stops accepting, lets what is in flight end
// within the drain timeout, and returns. It is called once.
func (g *Gateway) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer g.owned.Wait()
	defer stop()
	served := make(chan error, 1)
	g.owned.Go(func() { served <- g.engine.Serve(g.listener) })
	g.owned.Go(func() { g.own(background) })
	commands := g.serveSocket()
	defer commands()
	g.log.Info("rgate serves", "address", g.listener.Addr().String(), "routes", len(g.options.Config.Routes))
	select {
	case err := <-served:
		return fmt.Errorf("cannot serve any longer: %w", err)
	case <-ctx.Done():
	}
	g.leaving.Store(true)
	limit := g.gate.Table().Config.Traffic.DrainTimeout
	g.log.Info("rgate drains what is in flight and ends", "at_most", limit)
	bounded, cancel := context.WithTimeout(background, limit)
	defer cancel()
	if err := g.engine.Shutdown(bounded, linger); err != nil {
		g.log.Warn("some exchanges were cut at the end of the drain timeout", "error", err)
	}
	return nil
}

// serveSocket answers commands until the returned function is called.
func (g *Gateway) serveSocket() (stop func()) {
	if g.socket == nil {
		return func() {}
	}
	server := &http.Server{
		Handler: admin.Handler(admin.Gateway{
			Table: g.gate.Table, Reload: g.Reload, Ready: g.Ready,
			Drain: func(name string) int { return g.hold(name, true) },
			Undo:  func(name string) int { return g.hold(name, false) },
		}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	g.owned.Go(func() { _ = server.Serve(g.socket) })
	return func() { _ = server.Close() }
}
