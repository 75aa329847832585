package upstream

import (
	"sync/atomic"
	"time"
)

// A server closes connections that were idle for a while, and says so to nobody.
// A request that meets the close on its way is lost: one that can be sent twice
// goes on another connection, and one that cannot, a POST, fails, though
// nothing is wrong. So it goes on a kept connection only where it is known that
// the endpoint's connections live well beyond that age:
//
//	Lasted  one was found open after so long     nothing is believed of an endpoint before
//	Closed  one was found closed after so long   half of the youngest such age is too old
//	Fresh   whether one may carry a POST
//
// Requests that can be sent twice need none of it, and pay nothing for it.
type lifetime struct {
	lasted   atomic.Int64 // the longest that a connection was idle and open
	closed   atomic.Int64 // the shortest after which one was found closed; 0 for never
	outlived atomic.Int32 // how many since then were open at an age beyond that
}

const (
	// lifeMargin is how much longer than its age a connection must be known to
	// live: a busy endpoint may look at its clock before it looks at what has
	// arrived.
	lifeMargin = int64(50 * time.Millisecond)
	// irregular is what the youngest age is divided by where others lived
	// longer: it was not a limit, so the next may be younger by far.
	irregular = 8
	// outliving is how many connections in a row must have lived beyond the
	// youngest age before it is forgotten: the endpoint was restarted then, or
	// has another limit now.
	outliving = 64
)

// Fresh tells whether a connection to e that has been idle for so long can
// carry a request that must not be sent twice.
func (e *Endpoint) Fresh(idle time.Duration) bool {
	life := &e.lifetime
	old := int64(idle) + lifeMargin
	closed := life.closed.Load()
	return old <= life.lasted.Load() && (closed == 0 || old <= closed/2)
}

// Lasted says that a connection to e was found open after it had been idle for
// so long. It may be said of the same one again as it ages.
func (e *Endpoint) Lasted(idle time.Duration) { raise(&e.lifetime.lasted, int64(idle)) }

// Outlived says that a connection to e was open when its idling ended. It is
// said once.
func (e *Endpoint) Outlived(idle time.Duration) {
	e.Lasted(idle)
	life := &e.lifetime
	closed := life.closed.Load()
	if closed == 0 || int64(idle) < closed+lifeMargin || life.outlived.Add(1) < outliving {
		return
	}
	life.outlived.Store(0)
	life.closed.CompareAndSwap(closed, 0)
}

// Closed says that e was found to have closed a connection that had been idle
// for so long.
func (e *Endpoint) Closed(idle time.Duration) {
	life := &e.lifetime
	age := max(int64(idle), 1)
	if age < life.lasted.Load() {
		life.lasted.Store(0) // what was known of it is true no longer
		age = max(age/irregular, 1)
	}
	if closed := life.closed.Load(); closed == 0 || age < 2*closed+lifeMargin {
		life.outlived.Store(0)
	}
	for {
		closed := life.closed.Load()
		if closed != 0 && closed <= age || life.closed.CompareAndSwap(closed, age) {
			return
		}
	}
}

// succeed takes over what is known of the same address.
func (l *lifetime) succeed(old *lifetime) {
	l.lasted.Store(old.lasted.Load())
	l.closed.Store(old.closed.Load())
}

// raise makes a at least n.
func raise(a *atomic.Int64, n int64) {
	for {
		was := a.Load()
		if was >= n || a.CompareAndSwap(was, n) {
			return
		}
	}
}
