package upstream

import (
	"sync"
	"sync/atomic"
)

// Admission bounds the requests in flight on a backend. The fast path is one
// compare-and-swap; the lock is taken only once the limit is reached.
type Admission struct {
	limit    atomic.Int64 // of inFlight: 0 is none, below it nobody is let in
	inFlight atomic.Int64
	waiting  atomic.Int64

	mu        sync.Mutex
	most      int64 // in flight here and elsewhere; 0 is no limit
	elsewhere int64
	room      int
	queue     []*Ticket // oldest first
}

// Ticket is a request that waits for admission. It belongs to whoever waits, and
// to one queue at a time.
type Ticket struct {
	wake func() // nil before Call
	in   bool
}

func (a *Admission) configure(limit, room int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.most, a.room = int64(limit), room
	a.share()
}

// SetElsewhere says how many places are taken in another process that serves
// the same backend, such as the one that this one replaces: the limit holds for
// both together. It is told again as that number falls.
func (a *Admission) SetElsewhere(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.elsewhere = max(n, 0)
	a.share()
}

// InFlight is how many places are taken here.
func (a *Admission) InFlight() int64 { return a.inFlight.Load() }

// Wanted is how many places are taken here or waited for.
func (a *Admission) Wanted() int64 { return a.inFlight.Load() + a.waiting.Load() }

// share works out what is left of the limit; mu is held.
func (a *Admission) share() {
	limit := a.most - a.elsewhere
	if a.most == 0 {
		limit = 0
	} else if limit <= 0 {
		limit = -1 // 0 would be no limit
	}
	a.limit.Store(limit)
	a.admit()
}

// Enter claims a place; false where the limit is reached.
func (a *Admission) Enter() bool {
	limit := a.limit.Load()
	if limit == 0 {
		a.inFlight.Add(1)
		return true
	}
	for a.waiting.Load() == 0 {
		n := a.inFlight.Load()
		if n >= limit {
			return false
		}
		if a.inFlight.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
}

// Leave gives a place back, to the one that waited longest if anyone does.
func (a *Admission) Leave() {
	a.inFlight.Add(-1)
	if a.waiting.Load() == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.admit()
}

// admit lets in whom the limit allows; mu is held.
func (a *Admission) admit() {
	limit := a.limit.Load()
	for len(a.queue) > 0 {
		n := a.inFlight.Load()
		if limit != 0 && n >= limit {
			return
		}
		if !a.inFlight.CompareAndSwap(n, n+1) {
			continue // Enter may take places without the lock
		}
		t := a.queue[0]
		a.queue = a.queue[1:]
		a.waiting.Add(-1)
		if t.in = true; t.wake != nil {
			t.wake()
		}
	}
}

// Queue lines t, which is new, up for a place; false where the queue is full, so
// that the newest is shed first.
func (a *Admission) Queue(t *Ticket) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) >= a.room {
		return false
	}
	a.queue = append(a.queue, t)
	a.waiting.Add(1)
	a.admit() // a place may have come free since Enter failed
	return true
}

// Call has wake called once t is in, by whoever makes room and maybe before Call
// returns: it must neither wait nor come back here.
func (a *Admission) Call(t *Ticket, wake func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.wake = wake; t.in {
		wake()
	}
}

// Abandon leaves the queue. It returns false where the ticket was let in
// already: the place is then the caller's and must be given back.
func (a *Admission) Abandon(t *Ticket) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, other := range a.queue {
		if other == t {
			a.queue = append(a.queue[:i], a.queue[i+1:]...)
			a.waiting.Add(-1)
			return true
		}
	}
	return false
}
