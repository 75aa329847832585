package docker

import (
	"context"
	"errors"
	"slices"
	"sync"

	"rgate/internal/discovery"
)

// Survey looks at every container of the engine, running or not, for every
// backend, and says of each why it is left out, if it is.
func (e *Engine) Survey(ctx context.Context, sel []discovery.Selector) ([]discovery.Candidate, error) {
	explained := func(err error) error {
		return errors.New(explain(err, e.target, e.timing.patience, readMountinfo()))
	}
	conn, err := e.connect(ctx)
	if err != nil {
		return nil, explained(err)
	}
	defer conn.close()
	place, err := e.findPlace(ctx, conn)
	if err != nil {
		return nil, explained(err)
	}
	l := newLister(e.timing)
	found, err := l.list(ctx, conn, listing{selectors: sel, everyone: true})
	if err != nil {
		return nil, explained(err)
	}
	verdicts := make([]verdict, 0, len(found)*len(sel))
	for _, f := range found {
		for _, s := range sel {
			verdicts = append(verdicts, judge(f, s, place))
		}
	}
	var probes sync.WaitGroup
	turn := make(chan struct{}, 32)
	for i := range verdicts {
		if verdicts[i].Reason != "" {
			continue
		}
		turn <- struct{}{}
		probes.Go(func() {
			defer func() { <-turn }()
			settle(&verdicts[i], func(addr string) (proof, string) { return dial(ctx, addr, e.timing.dial) })
		})
	}
	probes.Wait()
	candidates := make([]discovery.Candidate, len(verdicts))
	for i, v := range verdicts {
		candidates[i] = v.Candidate
	}
	slices.SortFunc(candidates, order)
	return candidates, nil
}
