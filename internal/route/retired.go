package route

import (
	"sync"

	"rgate/internal/stats"
)

// Retired keeps the counters of what is no longer in the table. Exchanges in
// flight still count on them, so they fold into one sum only once those ended.
type Retired struct {
	mu   sync.Mutex
	sum  stats.Counters
	live []*stats.Counters
}

func (r *Retired) add(c *stats.Counters) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live = append(r.live, c)
	r.settle()
}

// absorb takes over another's counters.
func (r *Retired) absorb(other *Retired) {
	other.mu.Lock()
	live := append(other.live, &other.sum)
	other.live = nil
	other.mu.Unlock()
	for _, c := range live {
		r.add(c)
	}
}

// settle folds what has nothing in flight; mu is held.
func (r *Retired) settle() {
	kept := r.live[:0]
	for _, c := range r.live {
		if c.InFlight() > 0 {
			kept = append(kept, c)
		} else {
			r.sum.Fold(c)
		}
	}
	clear(r.live[len(kept):])
	r.live = kept
}

// Snapshot is the sum of all that retired.
func (r *Retired) Snapshot() stats.Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle()
	total := r.sum.Snapshot()
	for _, c := range r.live {
		total.Add(c.Snapshot())
	}
	return total
}
