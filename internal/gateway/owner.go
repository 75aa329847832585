package gateway

import (
	"context"
	"strings"
	"time"

	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/route"
	"rgate/internal/upstream"
)

// own is the one goroutine that changes the table: by a view, by a reload, by
// a changed file.
func (g *Gateway) own(ctx context.Context) {
	defer close(g.ended)
	defer g.probing.stop()
	cfg := g.options.Config
	var views []discovery.View
	g.apply(ctx, cfg, views)

	watching := false
	watch := func() {
		if !watching && len(route.Selectors(cfg)) > 0 {
			watching = true
			g.owned.Go(func() { g.watch(ctx) })
		}
	}
	watch()
	poll := time.NewTicker(g.options.Poll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.views.dirty:
			views = []discovery.View{*g.views.take()}
			g.apply(ctx, cfg, views)
			g.viewed.Store(true)
		case r := <-g.reloads:
			next, err := g.reload(cfg)
			if err == nil {
				cfg = next
				g.apply(ctx, cfg, views)
				watch()
			}
			r.done <- err
		case <-poll.C:
			if !g.file.changed() {
				continue
			}
			if next, err := g.reload(cfg); err == nil {
				cfg = next
				g.apply(ctx, cfg, views)
				watch()
			}
		}
	}
}

// apply builds the next table, puts it in place, and drains what it lacks.
func (g *Gateway) apply(ctx context.Context, cfg *config.Config, views []discovery.View) {
	prev := g.gate.Table()
	next := route.Build(cfg, views, prev)
	g.gate.Swap(next)
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
		if e.Name != container && (len(container) < 12 || !strings.HasPrefix(e.ID, container)) {
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
