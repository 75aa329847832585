package standard

import (
	"context"
	"sync/atomic"
)

// flight counts the requests under way. A sync.WaitGroup will not do: it may
// not be added to while someone waits.
type flight struct {
	n       atomic.Int64
	waiting atomic.Bool
	empty   chan struct{} // holds one word
}

func newFlight() *flight { return &flight{empty: make(chan struct{}, 1)} }

func (f *flight) begin() { f.n.Add(1) }

func (f *flight) end() {
	if f.n.Add(-1) > 0 || !f.waiting.Load() {
		return
	}
	select {
	case f.empty <- struct{}{}:
	default:
	}
}

// wait returns once nothing is under way, or with ctx's error.
func (f *flight) wait(ctx context.Context) error {
	f.waiting.Store(true)
	for f.n.Load() > 0 {
		select {
		case <-f.empty:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
