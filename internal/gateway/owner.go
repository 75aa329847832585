package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rgate/internal/config"
	"rgate/internal/link"
	"rgate/internal/listen"
	"rgate/internal/names"
	"rgate/internal/route"
	"rgate/internal/upstream"
)

// owner is what the one goroutine that changes the table knows. It never waits
// for anything but its events.
type owner struct {
	*Gateway
	ctx     context.Context
	cfg     *config.Config // in place
	pending *pending       // what is to take its place; nil for nothing

	listeners    listen.Set
	accepting    bool                               // the engine has them
	closing      listen.Set                         // those that went and are not shut yet
	certificates map[*listen.TLS]context.CancelFunc // that are watched
	links        map[*link.Link]context.CancelFunc  // likewise
	without      map[string]string                  // hosts that certificates cannot be got for, and why, as it was said last

	telling bool // the service manager knows of a reload under way

	before     elsewhere // in flight in the processes before this one
	after      elsewhere // and in those after it
	shares     bool      // backends were told of any
	held       held      // who is drained by hand
	bequeathed bool      // a successor was told of it
}

// own changes the table: by a view, by a reload, by a changed file, by a
// command. It is what the watchdog watches, so it feeds it.
func (g *Gateway) own(ctx context.Context) {
	defer close(g.ended)
	defer g.probing.stop()
	o := &owner{Gateway: g, ctx: ctx, cfg: g.options.Config, held: g.bequest.Held, listeners: g.listeners}
	defer o.letGo()
	o.refresh()
	o.watchCertificates()
	g.watchAll(ctx, o.cfg)
	g.settle()
	poll := time.NewTicker(g.options.Poll)
	defer poll.Stop()
	feed, starve := g.options.Supervisor.Feeding()
	defer starve()
	for {
		select {
		case <-ctx.Done():
			return
		case <-feed:
			if g.serving() {
				g.options.Supervisor.Alive()
			}
			continue
		case <-g.probing.judged:
			o.advance()
		case <-g.sources.dirty:
			o.refresh()
			o.advance()
		case order := <-g.orders:
			order(o)
		case <-o.pending.bound():
			o.place(o.lacks())
		case r := <-g.reloads:
			o.ask(r)
		case <-poll.C:
			if !g.leaving.Load() && !o.bequeathed { // what comes now is the successor's
				g.file.begin()
			}
		case text := <-g.file.done:
			o.take(text)
		case <-g.file.limit.C:
			o.giveUp()
		}
		o.calm()
		g.settle()
	}
}

// do has the owner do something, and waits until it is done; false where the
// owner has ended.
func (g *Gateway) do(order func(*owner)) bool {
	done := make(chan struct{})
	select {
	case g.orders <- func(o *owner) { defer close(done); order(o) }:
	case <-g.ended:
		return false
	}
	<-done
	return true
}

// settle tells, once, that it is known which endpoints are well.
func (g *Gateway) settle() {
	select {
	case <-g.settled:
	default:
		if g.unsettled() == nil {
			close(g.settled)
		}
	}
}

// unsettled is why it is not known yet which endpoints are well, if so.
func (g *Gateway) unsettled() error {
	t := g.gate.Table()
	if !g.viewed.Load() {
		return fmt.Errorf("%s has not answered", g.sources.missing(t.Config))
	}
	for _, v := range t.Views {
		// A name that nobody answers for may stay so, and its last addresses
		// were handed on.
		if v.Stale != "" && v.Source != names.SourceName {
			return errors.New(v.Stale)
		}
	}
	for _, e := range t.Endpoints() {
		if !e.Judged() {
			return fmt.Errorf("%s of backend %s is still being probed", e.Name, e.Backend)
		}
	}
	return nil
}

// refresh puts in place what the newest views make of the configuration, and
// notes what is known by then.
func (o *owner) refresh() {
	viewed, named := o.sources.missing(o.cfg) == "", o.sources.named(o.cfg) // first: a view may come meanwhile
	o.apply()
	if viewed {
		o.viewed.Store(true)
	}
	select {
	case <-o.named:
	default:
		if named {
			close(o.named)
		}
	}
}

// apply builds the next table, puts it in place, and drains what it lacks.
func (o *owner) apply() {
	prev := o.gate.Table()
	next := route.Build(o.cfg, o.sources.views(o.cfg), prev, o.pending.lent(o.cfg)...)
	o.held.apply(next.Endpoints())
	next.Held = o.held
	o.share(next)
	o.gate.Swap(next)
	o.watchLinks()
	o.sources.place(o.cfg)
	o.options.Supervisor.Status(summary(next))
	o.probe()
	kept := map[*upstream.Endpoint]bool{}
	for _, e := range next.Endpoints() {
		kept[e] = true
	}
	for _, b := range prev.Backends {
		for _, e := range b.Endpoints {
			if !kept[e] {
				o.drain(o.ctx, e, b.Config.Traffic.DrainTimeout)
			}
		}
	}
}

// probe has the endpoints of the table probed, and those that are to come.
func (o *owner) probe() {
	wanted := map[*upstream.Endpoint]config.Health{}
	if p := o.pending; p != nil {
		rules := map[string]config.Health{}
		for _, b := range p.cfg.Backends {
			rules[b.Name] = b.Traffic.Health
		}
		for _, e := range p.coming {
			wanted[e] = rules[e.Backend]
		}
	}
	for _, b := range o.gate.Table().Backends {
		for _, e := range b.Endpoints {
			wanted[e] = b.Config.Traffic.Health
		}
	}
	o.probing.follow(o.ctx, wanted)
}

// summary is t in a few words.
func summary(t *route.Table) string {
	text := fmt.Sprintf("%d routes, %d endpoints", len(t.Routes), len(t.Endpoints()))
	if stale := t.Stale(); stale != "" {
		text += "; " + stale
	}
	return text
}

// drain lets e finish what is in flight and then closes its connections.
func (g *Gateway) drain(ctx context.Context, e *upstream.Endpoint, limit time.Duration) {
	idle := e.Drain()
	g.log.Debug("endpoint drains", "backend", e.Backend, "endpoint", e.Name, "address", e.Address)
	g.owned.Go(func() {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		select {
		case <-idle:
		case <-timer.C:
			g.log.Warn("an endpoint that left still had exchanges in flight at the end of drain_timeout",
				"backend", e.Backend, "endpoint", e.Name, "in_flight", e.InFlight())
		case <-ctx.Done():
		}
		g.engine.Forget(e)
	})
}
