package route

import (
	"sync"
	"time"

	"rgate/internal/stats"
)

// settling is how long counters are kept after their route left the table: an
// exchange that loaded the table before the swap may begin to count only after
// it, and that takes microseconds.
const settling = 10 * time.Second

// Retired keeps the counters of what is no longer in the table. Exchanges in
// flight still count on them, and some may be about to, so they are dropped
// only once neither can be.
type Retired struct {
	mu   sync.Mutex
	sum  stats.Counters
	live []retiree
}

type retiree struct {
	*stats.Counters
	since time.Time
}

func (r *Retired) add(c *stats.Counters) { r.keep(retiree{c, time.Now()}) }

func (r *Retired) keep(all ...retiree) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live = append(r.live, all...)
	r.settle(time.Now())
}

// absorb takes over another's counters.
func (r *Retired) absorb(other *Retired) {
	other.mu.Lock()
	live := append(other.live, retiree{&other.sum, time.Now()})
	other.live = nil
	other.mu.Unlock()
	r.keep(live...)
}

// settle moves what was counted into the sum; mu is held. What is moved is not
// there a second time, so that counters can be asked as often as one likes.
func (r *Retired) settle(now time.Time) {
	kept := r.live[:0]
	for _, c := range r.live {
		gone := now.Sub(c.since) > settling && c.InFlight() == 0
		r.sum.Fold(c.Counters)
		if !gone {
			kept = append(kept, c)
		}
	}
	clear(r.live[len(kept):])
	r.live = kept
}

// Snapshot is the sum of all that retired.
func (r *Retired) Snapshot() stats.Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle(time.Now())
	total := r.sum.Snapshot()
	for _, c := range r.live {
		total.Add(c.Snapshot())
	}
	return total
}
