package gateway

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/docker"
	"rgate/internal/names"
	"rgate/internal/route"
)

// supply is one source of endpoints: what it is asked for, and the newest of
// its views, which is kept apart from those of the others.
type supply struct {
	name     string
	source   Source
	selects  func(*config.Config) []discovery.Selector
	watching bool            // the owner's
	view     *discovery.View // of supplies.mu; nil before the first
}

// supplies are all sources.
type supplies struct {
	mu    *sync.Mutex
	all   []*supply
	names *supply       // one of all: it looks up names
	dirty chan struct{} // gets a token at a new view
}

func newSupplies() supplies { return supplies{mu: &sync.Mutex{}, dirty: make(chan struct{}, 1)} }

// openSources makes the sources. Reaching the engine is the source's business:
// only a setting that can never work is an error here.
func (g *Gateway) openSources() error {
	containers := g.options.Source
	if containers == nil {
		c := g.options.Config.Docker
		engine, err := docker.Open(docker.Options{Host: c.Host, TLS: docker.TLS(c.TLS), Log: g.log})
		if err != nil {
			return fmt.Errorf("cannot use the docker settings: %w", err)
		}
		containers = engine.Source(nil)
	}
	g.sources.names = &supply{name: "the resolver", source: names.New(g.log, g.bequest.Names), selects: route.Names}
	g.sources.all = []*supply{
		{name: "the Docker engine", source: containers, selects: route.Selectors},
		g.sources.names,
	}
	g.sources.choose(g.options.Config)
	g.viewed.Store(g.sources.missing(g.options.Config) == "")
	return nil
}

// choose tells each source what cfg looks for.
func (s *supplies) choose(cfg *config.Config) {
	for _, one := range s.all {
		one.source.Select(one.selects(cfg))
	}
}

// watchAll runs the sources that cfg asks something of and that do not run yet.
func (g *Gateway) watchAll(ctx context.Context, cfg *config.Config) {
	for _, one := range g.sources.all {
		if one.watching || len(one.selects(cfg)) == 0 {
			continue
		}
		one.watching = true
		g.owned.Go(func() {
			err := one.source.Watch(ctx, func(v discovery.View) { g.sources.put(one, v) })
			if err != nil && ctx.Err() == nil {
				g.log.Error("a source of endpoints ended; restart rgate", "source", one.name, "error", err)
			}
		})
	}
}

func (s *supplies) put(from *supply, v discovery.View) {
	s.mu.Lock()
	from.view = &v
	s.mu.Unlock()
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// views are the newest views, one of each source that had any.
func (s *supplies) views() []discovery.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	var views []discovery.View
	for _, one := range s.all {
		if one.view != nil {
			views = append(views, *one.view)
		}
	}
	return views
}

// missing names a source that cfg asks something of and that has had no view
// yet, "" where there is none.
func (s *supplies) missing(cfg *config.Config) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.all, func(one *supply) bool { return one.lacks(cfg) })
	if at < 0 {
		return ""
	}
	return s.all[at].name
}

// lacks tells whether cfg asks something of s and it has had no view yet;
// supplies.mu is held.
func (s *supply) lacks(cfg *config.Config) bool { return s.view == nil && len(s.selects(cfg)) > 0 }

// named tells whether the names of cfg were looked up.
func (s *supplies) named(cfg *config.Config) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.names.lacks(cfg)
}
