package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/acme"
	"rgate/internal/admin"
	"rgate/internal/authority"
	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/handover"
	"rgate/internal/link"
	"rgate/internal/listen"
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

// readyPatience is how long rgate waits to know the endpoints before it says
// that it is ready, and serves what it can.
const readyPatience = 10 * time.Second

// namesPatience is how long rgate waits for the first look-up of names before
// it serves.
const namesPatience = 2 * time.Second

// Options are what a gateway is made of.
type Options struct {
	File     string                           // config file that is watched; "" where Config did not come from one
	Config   *config.Config                   // valid
	Listen   string                           // address; "" for the config's, else ":8080"
	Socket   string                           // admin socket; "" for the config's, else admin.SocketPath
	Log      *slog.Logger                     // nil for slog.Default
	Unlogged func() (dropped, lost int64)     // what Log could not write so far; nil for nothing
	Env      func(name string) (string, bool) // for ${VAR} on reload; nil for the process's
	Source   Source                           // nil for the Docker engine that the config names
	Poll     time.Duration                    // how often the file is read; 0 for a second

	Authority  *authority.Authority  // behind `tls: internal`; nil for the one that is kept in the config's state_dir
	Inherited  *handover.Inheritance // sockets that were passed to this process; nil for none
	Program    *handover.Program     // what Upgrade starts; nil where that makes no sense
	Supervisor *handover.Supervisor  // who is told how things stand; nil for nobody
}

// Gateway is a running gateway. New opens what can fail to open, Run serves.
type Gateway struct {
	options    Options
	log        *slog.Logger
	gate       *proxy.Gate
	statistics *admin.Statistics
	engine     engine
	challenges *acme.Challenges
	managers   managers
	sources    supplies
	issuers    issuers

	inherited  *handover.Inheritance
	bequest    bequest
	succession *succession
	first      *listen.Listener  // which was there before there were others
	tickets    *listen.Ring      // of the sessions of all listeners
	listeners  listen.Set        // at the start, first among them; then the owner knows which there are
	surplus    listen.Set        // that the process before had, and that this one is only to empty
	handed     bool              // some were inherited: another process may serve them too
	socketMu   sync.Mutex        // guards the socket and what is known of its file
	socket     *net.UnixListener // nil where commands cannot be served, or not yet
	socketFile admin.File        // what socket was bound to
	owning     bool              // this process removes that in the end
	lent       bool              // socket belongs to the service manager

	file     *configFile
	reloads  chan reload
	orders   chan func(*owner)
	rejected atomic.Int64  // reloads whose file was bad
	viewed   atomic.Bool   // each source that is asked has had its first view
	serves   chan struct{} // closed once requests are taken
	leaving  atomic.Bool
	named    chan struct{}   // closed once the names were looked up
	settled  chan struct{}   // closed once it is known which endpoints are well
	ended    chan struct{}   // closed when the owner ended
	life     context.Context // ends when rgate is told to end, which endLife tells
	endLife  context.CancelCauseFunc

	placeLimit  time.Duration // as the constants
	socketRetry time.Duration

	owned   sync.WaitGroup // goroutines that end with Run
	probing probes
}

// New opens the listener and the admin socket, unless they were inherited.
func New(o Options) (*Gateway, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	if o.Inherited == nil {
		o.Inherited = &handover.Inheritance{}
	}
	g := &Gateway{
		options: o, log: o.Log, sources: newSupplies(),
		inherited: o.Inherited, bequest: readBequest(o.Inherited.Note), succession: newSuccession(), tickets: listen.NewRing(),
		reloads: make(chan reload), orders: make(chan func(*owner)), placeLimit: placeLimit, socketRetry: socketRetry, serves: make(chan struct{}), settled: make(chan struct{}), named: make(chan struct{}), ended: make(chan struct{}),
		probing: newProbes(), challenges: acme.NewChallenges(),
	}
	g.file = newConfigFile(o.File, o.Config.Sum, g.env)
	g.life, g.endLife = context.WithCancelCause(context.Background())
	g.gate = proxy.NewGate(route.Build(o.Config, nil, nil), o.Log)
	g.issuers.internal = o.Authority
	g.statistics = admin.NewStatistics(g.gate.Table)
	g.gate.Inform(g.statistics.Page)
	g.gate.Prove(g.challenges.Key)
	if err := g.openSources(); err != nil {
		return nil, err
	}
	warnings, err := link.Check(o.Config)
	if err != nil {
		return nil, err
	}
	g.warnOfLinks(warnings)
	if err := g.openListeners(); err != nil {
		return nil, err
	}
	g.engine, err = g.newEngine(standard.Options{Gate: g.gate, Log: o.Log})
	if err != nil {
		return nil, g.refuse(err)
	}
	g.openSocket()
	if n := g.inherited.Discard(); n > 0 {
		g.log.Warn("some of the sockets that were passed are not used", "unused", n)
	}
	return g, nil
}

// Addr is the address of the first listener.
func (g *Gateway) Addr() net.Addr { return g.first.Addr() }

// ListenerAddr is the address of a listener of the start; nil where none has
// that name.
func (g *Gateway) ListenerAddr(name string) net.Addr {
	for _, l := range g.listeners[1:] {
		if l.Config().Name == name {
			return l.Addr()
		}
	}
	return nil
}

// Report is the traffic so far.
func (g *Gateway) Report() stats.Report { return g.gate.Table().Total().Report() }

// Table is the table of the moment.
func (g *Gateway) Table() *route.Table { return g.gate.Table() }

// Ready is nil while requests should come here: the first views are in and the
// gateway does not leave.
func (g *Gateway) Ready() error {
	switch {
	case g.leaving.Load():
		return errors.New("draining")
	case !g.viewed.Load():
		return errors.New("not every source of endpoints has answered yet")
	}
	return nil
}

// Run serves until ctx ends or another process has taken over, then stops
// accepting, lets what is in flight end within the drain timeout, and returns.
// It is called once.
func (g *Gateway) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer g.owned.Wait()
	defer stop()
	g.owned.Go(func() { g.own(background) })
	g.owned.Go(func() { g.tickets.Turn(background) })
	if g.inherited.Successor() {
		g.hear(background)
	}
	if g.handed {
		// Whoever serves these sockets now does it better until then.
		if serve, err := g.await(ctx); !serve {
			g.endLife(errors.New("rgate ends before it served"))
			g.close()
			return err
		}
	}
	g.awaitNames(ctx)
	served := make(chan error, 1)
	listeners := g.entrust()
	g.owned.Go(func() { served <- g.engine.Serve(listeners...) })
	commands := g.serveCommands()
	defer commands.end()
	if g.adminSocket() == nil {
		g.owned.Go(func() { g.seekSocket(background, commands) })
	}
	g.takeOver()
	g.empty()
	for _, l := range listeners[1:] {
		g.mention(l)
	}
	g.log.Info("rgate serves", "address", g.first.Addr().String(), "routes", len(g.options.Config.Routes))
	g.mentionRoom()
	g.owned.Go(func() { g.announce(ctx) })
	var err error
	select {
	case err = <-served:
		err = fmt.Errorf("cannot serve any longer: %w", err)
	case <-ctx.Done():
	case <-g.succession.done:
	}
	g.leaving.Store(true)
	g.endLife(errors.New("rgate was told to end"))
	g.succession.close()
	if err == nil {
		g.leave(ctx, background, commands)
	}
	return err
}

// serving tells whether requests are taken.
func (g *Gateway) serving() bool {
	select {
	case <-g.serves:
		return true
	default:
		return false
	}
}

// await tells whether to serve an inherited socket: once it is known which
// endpoints are well, or as well as may be; not if ctx ends first.
func (g *Gateway) await(ctx context.Context) (serve bool, err error) {
	patience := readyPatience
	if g.inherited.Successor() {
		patience = takeOverPatience
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false, nil
	case <-g.settled:
		return true, nil
	case <-timer.C:
	}
	if g.inherited.Successor() {
		return false, fmt.Errorf("cannot take over: in %v it did not become known which endpoints are well: %v", patience, g.unsettled())
	}
	return true, nil
}

// awaitNames waits until names were looked up, so that the first request finds
// its endpoint. Connections that come meanwhile wait in the listener's queue.
func (g *Gateway) awaitNames(ctx context.Context) {
	timer := time.NewTimer(namesPatience)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-g.named:
	case <-timer.C:
	}
}

// takeOver says to the predecessor, if there is one, that this process serves.
func (g *Gateway) takeOver() {
	if err := g.inherited.Ready(); err != nil {
		g.log.Warn("this process serves, but the one before it did not wait for that", "error", err)
	}
	g.ownSocket(true)
	close(g.serves)
}

// mentionRoom says so where there are fewer connections than the config allows.
func (g *Gateway) mentionRoom() {
	limit := g.options.Config.Limits.Connections
	if room := proxy.Room(limit); room != limit {
		g.log.Info("the limit of open files leaves room for fewer client connections than limits.connections; for more, raise it (LimitNOFILE=, ulimit -n)",
			"limits.connections", limit, "room", room)
	}
}

// announce says to the service manager that requests can be answered.
func (g *Gateway) announce(ctx context.Context) {
	timer := time.NewTimer(readyPatience)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-g.settled:
	case <-timer.C:
	}
	g.options.Supervisor.Ready()
}

// leave lets what is in flight end. After an upgrade that may take much longer
// than before an end, since nobody waits for it; until ctx ends.
func (g *Gateway) leave(ctx, background context.Context, c *commands) {
	cfg := g.gate.Table().Config
	limit, quiet := cfg.Traffic.DrainTimeout, linger
	if g.succession.heir.Load() != 0 {
		g.yield()
		g.owned.Go(c.end)
		limit = cfg.Upgrade.DrainTimeout
		quiet = min(hearOut, limit/2)
	} else {
		g.options.Supervisor.Stopping()
	}
	g.log.Info("rgate drains what is in flight and ends", "at_most", limit)
	bounded, cancel := context.WithTimeout(background, limit)
	defer cancel()
	if limit > cfg.Traffic.DrainTimeout {
		told := context.AfterFunc(ctx, func() {
			g.log.Info("rgate is told to end while it drains after an upgrade", "at_most", cfg.Traffic.DrainTimeout)
			hurried := time.AfterFunc(cfg.Traffic.DrainTimeout, cancel)
			context.AfterFunc(bounded, func() { hurried.Stop() })
		})
		defer told()
	}
	if err := g.engine.Shutdown(bounded, quiet); err != nil {
		g.log.Warn("some exchanges were cut at the end of the drain timeout", "error", err)
	}
	if g.succession.heir.Load() != 0 {
		g.passOn(bounded)
	}
}

// close lets go of what New opened and nobody served.
func (g *Gateway) close() {
	_ = g.engine.Shutdown(context.Background(), 0) // there is nothing to cut
	g.surplus.Close()
	g.closeSocket()
}
