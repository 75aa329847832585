package gateway

import (
	"context"
	"fmt"
	"sync"

	"rgate/internal/discovery"
	"rgate/internal/docker"
	"rgate/internal/route"
)

// openSource makes the source. Reaching the engine is the source's business:
// only a setting that can never work is an error here.
func (g *Gateway) openSource() error {
	selectors := route.Selectors(g.options.Config)
	g.source = g.options.Source
	if g.source == nil {
		c := g.options.Config.Docker
		engine, err := docker.Open(docker.Options{Host: c.Host, TLS: docker.TLS(c.TLS), Log: g.log})
		if err != nil {
			return fmt.Errorf("cannot use the docker settings: %w", err)
		}
		g.source = engine.Source(nil)
	}
	g.source.Select(selectors)
	g.viewed.Store(len(selectors) == 0)
	return nil
}

// watch runs the source for as long as ctx lasts.
func (g *Gateway) watch(ctx context.Context) {
	if err := g.source.Watch(ctx, g.views.put); err != nil && ctx.Err() == nil {
		g.log.Error("the source of endpoints ended; restart rgate", "error", err)
	}
}

// viewSlot holds the newest view that was not applied yet.
type viewSlot struct {
	mu    *sync.Mutex
	view  *discovery.View
	dirty chan struct{}
}

func newViewSlot() viewSlot { return viewSlot{mu: &sync.Mutex{}, dirty: make(chan struct{}, 1)} }

func (s *viewSlot) put(v discovery.View) {
	s.mu.Lock()
	s.view = &v
	s.mu.Unlock()
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

func (s *viewSlot) take() *discovery.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}
