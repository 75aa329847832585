package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	placed   *discovery.View // the owner's: the last that answered all that was in place
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

// ErrDocker is that what is said of the engine can never work.
var ErrDocker = errors.New("cannot use the docker settings")

// openSources makes the sources. Reaching the engine is the source's business:
// only a setting that can never work is an error here.
func (g *Gateway) openSources() error {
	containers := g.options.Source
	if containers == nil {
		c := g.options.Config.Docker
		engine, err := docker.Open(docker.Options{Host: c.Host, TLS: docker.TLS(c.TLS), Log: g.log})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDocker, err)
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

// newest is the newest view of each source.
func (s *supplies) newest() []*discovery.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	views := make([]*discovery.View, len(s.all))
	for i, one := range s.all {
		views[i] = one.view
	}
	return views
}

// views are what is known of cfg's endpoints, one view of each source that had
// any. Where a source was told to look for something else and has not found it
// yet, or the other way round, what it knew before counts for what is the same.
func (s *supplies) views(cfg *config.Config) (views []discovery.View) {
	for i, now := range s.newest() {
		if now != nil {
			views = append(views, s.all[i].picture(now, s.all[i].selects(cfg)))
		}
	}
	return views
}

// place notes that cfg is in place, with the newest views where they answer it.
func (s *supplies) place(cfg *config.Config) {
	for i, now := range s.newest() {
		if one := s.all[i]; now != nil && answers(now, one.selects(cfg)) {
			one.placed = now
		}
	}
}

// unanswered names a source that has not told all yet that cfg asks of it, ""
// where there is none.
func (s *supplies) unanswered(cfg *config.Config) string {
	for i, now := range s.newest() {
		one := s.all[i]
		if selectors := one.selects(cfg); len(selectors) > 0 && (now == nil || !answers(now, selectors)) {
			return one.name
		}
	}
	return ""
}

// picture is the view now as far as it answers the selectors, and the view
// placed before for the others.
func (s *supply) picture(now *discovery.View, selectors []discovery.Selector) discovery.View {
	if answers(now, selectors) {
		return *now
	}
	whole := discovery.View{Source: now.Source, Stale: now.Stale, Selectors: selectors}
	taken := map[string]bool{}
	for _, from := range []*discovery.View{now, s.placed} {
		if from == nil {
			continue
		}
		asked := bySelector(from)
		from := *from
		for _, one := range selectors {
			if at, ok := asked[one.Backend]; !taken[one.Backend] && (from.Selectors == nil || ok && at.Equal(one)) {
				taken[one.Backend] = true
				whole.Candidates = append(whole.Candidates, candidates(from, one.Backend)...)
			}
		}
	}
	slices.SortStableFunc(whole.Candidates, func(a, b discovery.Candidate) int { return strings.Compare(a.Backend, b.Backend) })
	return whole
}

// candidates are those for a backend.
func candidates(v discovery.View, backend string) []discovery.Candidate {
	from, _ := slices.BinarySearchFunc(v.Candidates, backend, func(c discovery.Candidate, name string) int { return strings.Compare(c.Backend, name) })
	to := from
	for to < len(v.Candidates) && v.Candidates[to].Backend == backend {
		to++
	}
	return v.Candidates[from:to]
}

func bySelector(v *discovery.View) map[string]discovery.Selector {
	all := make(map[string]discovery.Selector, len(v.Selectors))
	for _, one := range v.Selectors {
		all[one.Backend] = one
	}
	return all
}

// answers tells whether v is an answer to all the selectors.
func answers(v *discovery.View, selectors []discovery.Selector) bool {
	if v.Selectors == nil || len(selectors) == 0 {
		return true
	}
	asked := bySelector(v)
	for _, one := range selectors {
		if at, ok := asked[one.Backend]; !ok || !at.Equal(one) {
			return false
		}
	}
	return true
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
