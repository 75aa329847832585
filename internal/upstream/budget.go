package upstream

import (
	"sync"
	"sync/atomic"
	"time"
)

// The retry budget: of the requests of the last ten seconds, one in five may
// be retried, and three always may, so that retries cannot melt a backend
// that is sick already.
const (
	budgetSeconds = 10
	budgetShare   = 5
	budgetFloor   = 3
)

// Budget counts requests and retries in a ring of seconds. It is approximate
// under contention at the turn of a second. Requests take no lock; retries do,
// so that many at once take no more than there is.
type Budget struct {
	slots    [budgetSeconds + 1]budgetSlot
	retrying sync.Mutex
}

type budgetSlot struct {
	second   atomic.Int64
	requests atomic.Int64
	retries  atomic.Int64
}

func seconds(t time.Time) int64 { return Clock(t) / int64(time.Second) }

func (b *Budget) slot(now time.Time) *budgetSlot {
	second := seconds(now)
	s := &b.slots[uint64(second)%uint64(len(b.slots))]
	if was := s.second.Load(); was != second && s.second.CompareAndSwap(was, second) {
		s.requests.Store(0)
		s.retries.Store(0)
	}
	return s
}

// Request counts a request.
func (b *Budget) Request(now time.Time) { b.slot(now).requests.Add(1) }

// Allows tells whether an attempt may follow one that ended so, and counts it
// where it counts: one that got no connection, or one reset unused or refused
// unprocessed, cost its endpoint nothing, and the next goes to another.
func (b *Budget) Allows(last Outcome, now time.Time) bool {
	switch last {
	case None, ConnectFailed, ConnectTimedOut, Reset, Untouched, Unable:
		return true
	case Refused:
		return true // it was asked for before the answer was dropped
	}
	return b.Retry(now)
}

// Retry takes one retry out of the budget; false where it is spent.
func (b *Budget) Retry(now time.Time) bool {
	b.retrying.Lock()
	defer b.retrying.Unlock()
	oldest := seconds(now) - budgetSeconds
	var requests, retries int64
	for i := range b.slots {
		s := &b.slots[i]
		if s.second.Load() > oldest {
			requests += s.requests.Load()
			retries += s.retries.Load()
		}
	}
	if retries >= max(requests/budgetShare, budgetFloor) {
		return false
	}
	b.slot(now).retries.Add(1)
	return true
}
