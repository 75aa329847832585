package upstream

import (
	"math/rand/v2"
	"slices"
	"time"
)

// When an ejection ends nobody knows yet whether the endpoint is well. One
// request tries it, its trial, and to all others it stays out until that one
// has its answer. An answer lets it in; a failure ejects it for longer; and
// where the attempt ends in neither, as when its client leaves, the next
// request tries. Endpoints that are not ejected pay one load for all this.

// trialTime bounds how long one attempt keeps others from trying: a slow answer
// is not to keep an endpoint out for longer than a failure would.
const trialTime = int64(10 * time.Second)

// open tells whether j lets a request through at now.
func (j *ejection) open(now int64) bool {
	until := j.until.Load()
	return until == 0 || now >= until && !j.tried(now)
}

// tried tells whether a trial is under way.
func (j *ejection) tried(now int64) bool {
	trial := j.trial.Load()
	return trial != 0 && now-trial < trialTime
}

// trialOf is the mark of an attempt that began then.
func trialOf(began int64) int64 { return began | 1 } // 0 is none

// claim begins the trial where there has to be one; false where another
// request was quicker.
func (j *ejection) claim(now int64) bool {
	until := j.until.Load()
	if until == 0 {
		return true
	}
	trial := j.trial.Load()
	return now >= until && (trial == 0 || now-trial >= trialTime) && j.trial.CompareAndSwap(trial, trialOf(now))
}

// trying tells whether the attempt that began then is the trial.
func (j *ejection) trying(began int64) bool {
	return j.until.Load() != 0 && j.trial.Load() == trialOf(began)
}

// admit ends an ejection, and keeps the memory of what led to it.
func (j *ejection) admit() {
	j.until.Store(0)
	j.trial.Store(0)
}

// Headed says that the head of an answer with this status came from e, to an
// attempt that began then: its body may last for hours, so a trial is over now.
func (b *Backend) Headed(e *Endpoint, status int, began time.Time) {
	until := e.ejection.until.Load()
	if until != 0 && Clock(began) >= until && !b.Eject.against(status) {
		e.ejection.admit()
	}
}

// take acquires e for an attempt at now, which is its trial where one is due.
func (e *Endpoint) take(now int64) bool {
	if !e.Acquire() {
		return false
	}
	if e.ejection.claim(now) {
		return true
	}
	e.Release()
	return false
}

// onTrial acquires an endpoint whose trial is under way, where there is none
// but those: what may be well is better than none.
func (b *Backend) onTrial(tried []*Endpoint, now int64) *Endpoint {
	for _, eps := range b.Generations {
		for i, at := 0, rand.IntN(len(eps)+1); i < len(eps); i++ {
			e := eps[(at+i)%len(eps)]
			if e.well() && now >= e.ejection.until.Load() && !slices.Contains(tried, e) && e.Acquire() {
				return e
			}
		}
	}
	return nil
}
