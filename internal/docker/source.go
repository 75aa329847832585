package docker

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"rgate/internal/discovery"
)

// Source watches an engine for the containers that selectors select.
type Source struct {
	engine *Engine
	log    *slog.Logger
	timing timing
	poked  chan struct{} // gets a token when the selectors changed

	mu     sync.Mutex
	wanted wanted
}

// wanted is what a Select asked for.
type wanted struct {
	selectors selectors
	turn      int // tells one Select from another
}

var _ discovery.Source = (*Source)(nil)

// Source makes a source of the engine's containers.
func (e *Engine) Source(sel []discovery.Selector) *Source {
	return &Source{engine: e, log: e.log, timing: e.timing, poked: make(chan struct{}, 1), wanted: wanted{selectors: slices.Clone(sel)}}
}

// Select changes what is watched for. A running Watch lists anew at once, and
// its views answer the old selectors until they can answer the new ones.
func (s *Source) Select(sel []discovery.Selector) {
	s.mu.Lock()
	s.wanted = wanted{slices.Clone(sel), s.wanted.turn + 1}
	s.mu.Unlock()
	select {
	case s.poked <- struct{}{}:
	default:
	}
}

func (s *Source) selected() wanted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wanted
}

// Watch emits a view at the first list or the first failure, and again on each
// change, until ctx ends. At most one Watch of a source may run at a time.
func (s *Source) Watch(ctx context.Context, emit func(discovery.View)) error {
	first := s.selected()
	w := &watch{
		source: s, emit: emit, log: s.log, timing: s.timing,
		memory: memory{}, prober: newProber(s.timing),
		lister:    newLister(s.timing),
		selectors: first.selectors, wanted: first, mentioned: map[mention]bool{},
	}
	defer w.prober.close()
	return w.run(ctx)
}
