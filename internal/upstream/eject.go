package upstream

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// EjectRules say when failures in a row put an endpoint aside.
type EjectRules struct {
	ConnectFailures int           // attempts without a connection, or whose connection broke; 0 is never
	Timeouts        int           // attempts without an answer in time; 0 is never
	ServerErrors    int           // 5xx answers; 0 is never
	Base            time.Duration // the first ejection
	Max             time.Duration // each further one doubles, up to this
}

// ejection is an endpoint's memory of failures in a row.
type ejection struct {
	failures atomic.Int32
	timeouts atomic.Int32
	errors   atomic.Int32
	times    atomic.Int32
	until    atomic.Int64 // Unix nanoseconds
}

func (j *ejection) active(now int64) bool {
	until := j.until.Load()
	return until != 0 && now < until
}

func (j *ejection) clear() {
	j.failures.Store(0)
	j.timeouts.Store(0)
	j.errors.Store(0)
	j.times.Store(0)
	j.until.Store(0)
}

func (j *ejection) reason() string {
	if n := j.failures.Load(); n > 0 {
		return fmt.Sprintf("%d failed attempts in a row", n)
	}
	if n := j.timeouts.Load(); n > 0 {
		return fmt.Sprintf("%d time-outs in a row", n)
	}
	return fmt.Sprintf("%d server errors in a row", j.errors.Load())
}

// Observe takes the outcome of one attempt on e, with the status where there
// was one, and ejects e from b where the rules say so.
func (b *Backend) Observe(e *Endpoint, o Outcome, status int) {
	j := &e.ejection
	switch o {
	case Answered:
		if status < 500 || b.Eject.ServerErrors == 0 {
			if j.failures.Load()|j.timeouts.Load()|j.errors.Load()|j.times.Load() != 0 {
				j.clear()
			}
			return
		}
		j.failures.Store(0)
		j.timeouts.Store(0)
		if n := j.errors.Add(1); int(n) >= b.Eject.ServerErrors {
			b.eject(e)
		}
	case ConnectFailed, Reset, ConnectTimedOut, Broken, Truncated:
		if n := j.failures.Add(1); b.Eject.ConnectFailures > 0 && int(n) >= b.Eject.ConnectFailures {
			b.eject(e)
		}
	case TimedOut:
		// Many that are slow say little of the endpoint: they may be slow requests.
		if n := j.timeouts.Add(1); b.Eject.Timeouts > 0 && int(n) >= b.Eject.Timeouts {
			b.eject(e)
		}
	}
}

// eject puts e aside for a time that doubles with each ejection in a row, with
// jitter so that endpoints do not come back all at once. Never more than half
// of a backend's endpoints are out: a sick guess is better than none.
//
// Failures arrive in many goroutines at once: without the lock each would count
// the other's endpoint as usable, and all could go. It is taken after failures
// only.
func (b *Backend) eject(e *Endpoint) {
	b.ejecting.Lock()
	defer b.ejecting.Unlock()
	now := time.Now().UnixNano()
	if e.ejection.active(now) {
		return
	}
	out := 1
	for _, other := range b.Endpoints {
		if other != e && !other.usable(now) {
			out++
		}
	}
	if out*2 > len(b.Endpoints) {
		return
	}
	span := b.Eject.span(int(e.ejection.times.Add(1)))
	e.ejection.until.Store(now + int64(span))
}

// span is how long the nth ejection in a row lasts: up to a quarter less than
// it could, and never more than Max.
func (r EjectRules) span(n int) time.Duration {
	span := min(r.Base, r.Max)
	for ; n > 1 && span < r.Max; n-- {
		if span > r.Max/2 {
			span = r.Max // doubling could go beyond it, and beyond what fits
		} else {
			span *= 2
		}
	}
	return span - time.Duration(rand.Int64N(int64(span)/4+1))
}
