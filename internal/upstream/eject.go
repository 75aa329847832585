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
	until    atomic.Int64 // by Clock; 0 while it is not ejected, nor on trial
	trial    atomic.Int64 // the mark of the attempt that tries it; 0 for none
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
	j.admit()
}

// troubled tells whether there is anything to clear.
func (j *ejection) troubled() bool {
	return j.failures.Load()|j.timeouts.Load()|j.errors.Load()|j.times.Load() != 0
}

// succeed takes over what is known of the same address.
func (j *ejection) succeed(old *ejection) {
	j.failures.Store(old.failures.Load())
	j.timeouts.Store(old.timeouts.Load())
	j.errors.Store(old.errors.Load())
	j.times.Store(old.times.Load())
	j.until.Store(old.until.Load())
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

// against tells whether an answer with this status speaks against an endpoint.
func (r *EjectRules) against(status int) bool { return status >= 500 && r.ServerErrors > 0 }

// Observe takes the outcome of one attempt on e, with the status where there
// was one, and ejects e from b where the rules say so. Every attempt for which e
// was picked is observed, with when it began: the next trial may wait for that.
func (b *Backend) Observe(e *Endpoint, o Outcome, status int, began, now time.Time) {
	j, start := &e.ejection, Clock(began)
	if until := j.until.Load(); until != 0 && start < until {
		return // from before the ejection: nothing that was not known then
	}
	switch o {
	case Answered:
		b.answered(e, status, start, now)
	case Refused:
		b.answered(e, 503, start, now)
	case ConnectFailed, Reset, ConnectTimedOut, Broken, Truncated:
		b.failed(e, &j.failures, b.Eject.ConnectFailures, start, now)
	case TimedOut:
		// Apart from the others, and off by default: that several requests are
		// slow ones says little of the endpoint.
		b.failed(e, &j.timeouts, b.Eject.Timeouts, start, now)
	}
	if j.trying(start) {
		j.trial.CompareAndSwap(trialOf(start), 0) // it said nothing: the next one tries
	}
}

func (b *Backend) answered(e *Endpoint, status int, start int64, now time.Time) {
	j := &e.ejection
	if !b.Eject.against(status) {
		if j.troubled() {
			j.clear()
		}
		return
	}
	j.failures.Store(0)
	j.timeouts.Store(0)
	if n := j.errors.Add(1); int(n) >= b.Eject.ServerErrors {
		b.eject(e, now)
	} else if j.trying(start) {
		j.admit() // it answers again, and has not failed often enough at that
	}
}

// failed counts a failure of a kind of which limit in a row eject e; a trial
// has no more to lose.
func (b *Backend) failed(e *Endpoint, count *atomic.Int32, limit int, start int64, now time.Time) {
	n := count.Add(1)
	switch trying := e.ejection.trying(start); {
	case limit > 0 && int(n) >= limit:
		b.eject(e, now)
	case trying && b.Eject.ConnectFailures|b.Eject.Timeouts|b.Eject.ServerErrors != 0:
		b.eject(e, now)
	case trying:
		e.ejection.admit() // ejecting was turned off meanwhile
	}
}

// eject puts e aside for a time that doubles with each ejection in a row, with
// jitter so that endpoints do not come back all at once. Never more than half
// of a backend's endpoints are out, those on trial among them: a sick guess is
// better than none.
//
// Failures arrive in many goroutines at once: without the lock each would count
// the other's endpoint as usable, and all could go. It is taken after failures
// only.
func (b *Backend) eject(e *Endpoint, now time.Time) {
	b.ejecting.Lock()
	defer b.ejecting.Unlock()
	j, at := &e.ejection, Clock(now)
	if j.active(at) {
		return
	}
	out := 1
	for _, other := range b.Endpoints {
		if other != e && (!other.well() || other.ejection.until.Load() != 0) {
			out++
		}
	}
	if out*2 > len(b.Endpoints) {
		j.admit()
		return
	}
	span := b.Eject.span(int(j.times.Add(1)))
	j.trial.Store(0)
	j.until.Store(at + int64(span))
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
