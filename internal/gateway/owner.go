package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rgate/internal/config"
	"rgate/internal/names"
	"rgate/internal/route"
	"rgate/internal/upstream"
)

// own is the one goroutine that changes the table: by a view, by a reload, by
// a changed file. It is what the watchdog watches, so it feeds it.
func (g *Gateway) own(ctx context.Context) {
	defer close(g.ended)
	defer g.probing.stop()
	cfg := g.options.Config
	use := func(next *config.Config) {
		cfg = next
		g.refresh(ctx, cfg)
		g.watchAll(ctx, cfg)
	}
	use(cfg)
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
		case <-g.sources.dirty:
			g.refresh(ctx, cfg)
		case r := <-g.reloads:
			g.file.waiting = append(g.file.waiting, r)
			g.file.begin()
		case <-poll.C:
			if !g.leaving.Load() { // what comes now is the successor's
				g.file.begin()
			}
		case text := <-g.file.done:
			asked := g.file.finish()
			if len(asked) > 0 || g.file.settled(text) {
				next, err := g.reload(cfg, text)
				if err == nil {
					use(next)
				}
				answer(asked, err)
			}
			if len(g.file.waiting) > 0 {
				g.file.begin()
			}
		case <-g.file.limit.C:
			if err, first := g.file.abandon(); first {
				g.log.Error("the configuration cannot be read; the running one stays", "error", err)
			}
			if len(g.file.waiting) > 0 {
				g.file.begin()
			}
		}
		g.settle()
	}
}

// refresh puts in place what cfg and the newest views make, and notes what is
// known by then.
func (g *Gateway) refresh(ctx context.Context, cfg *config.Config) {
	viewed, named := g.sources.missing(cfg) == "", g.sources.named(cfg) // first: a view may come meanwhile
	g.apply(ctx, cfg)
	if viewed {
		g.viewed.Store(true)
	}
	select {
	case <-g.named:
	default:
		if named {
			close(g.named)
		}
	}
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

// apply builds the next table, puts it in place, and drains what it lacks.
func (g *Gateway) apply(ctx context.Context, cfg *config.Config) {
	prev := g.gate.Table()
	next := route.Build(cfg, g.sources.views(), prev)
	g.bequest.keepHeld(next.Endpoints())
	g.gate.Swap(next)
	g.options.Supervisor.Status(summary(next))
	g.probing.follow(ctx, next)
	kept := map[*upstream.Endpoint]bool{}
	for _, e := range next.Endpoints() {
		kept[e] = true
	}
	for _, b := range prev.Backends {
		for _, e := range b.Endpoints {
			if !kept[e] {
				g.drain(ctx, e, b.Config.Traffic.DrainTimeout)
			}
		}
	}
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

// hold drains or undrains by hand the endpoints of a container, given by name
// or by at least 12 digits of its id. It returns how many there are.
func (g *Gateway) hold(container string, on bool) int {
	n := 0
	for _, e := range g.gate.Table().Endpoints() {
		if e.Name != container && e.ID != container && (len(container) < 12 || !strings.HasPrefix(e.ID, container)) {
			continue
		}
		n++
		if on {
			e.Hold()
		} else {
			e.Unhold()
		}
	}
	return n
}
