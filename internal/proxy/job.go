package proxy

import (
	"context"
	"time"
)

// Job is what an exchange waits for after the verdict Wait: a place at a full
// backend, the statistics page, what a policy asks somebody else. Engines know no
// more of it than this, and suspend and resume for all alike:
//
//	Start     suspends
//	then one of
//	Finish    wake was called: resumes
//	Late      its time is up: resumes
//	Abandon   nobody waits any more
//
// All four are called by whoever drives the exchange, one after the other.
type Job interface {
	// Limit is how long it may take.
	Limit() time.Duration
	// Start begins it and does not wait. wake is to be called once, by any
	// goroutine, maybe before Start returns: it does not wait, locks may be held,
	// and once the job is late or abandoned it does nothing. ctx ends with the job,
	// however that ends: what runs beside the engine for it should, too, and must
	// not touch the exchange.
	Start(ctx context.Context, wake func())
	// Finish says what is to be done now, which may be to wait for another job.
	Finish() Verdict
	// Late says so where the job did not finish in time.
	Late() Verdict
	// Abandon takes the job back: the client has left, or the engine ends.
	Abandon()
}

// Owed tells whether the client that x waits for is owed its answer even where it
// has finished sending, since nobody is spared work by its being taken for gone.
func (x *Exchange) Owed() bool {
	_, made := x.Job.(*page)
	return made
}

// place is the job of getting a place at x's backend, which is full.
type place struct{ x *Exchange }

// Limit implements Job.
func (p place) Limit() time.Duration { return p.x.target.Backend.QueueTime }

// Start implements Job.
func (p place) Start(_ context.Context, wake func()) {
	p.x.target.Backend.Gate.Call(&p.x.ticket, wake)
}

// Finish implements Job.
func (p place) Finish() Verdict {
	p.x.admitted = true
	return Forward
}

// Late implements Job.
func (p place) Late() Verdict {
	p.Abandon()
	return p.x.reply(answerOverload)
}

// Abandon implements Job.
func (p place) Abandon() {
	if !p.x.target.Backend.Gate.Abandon(&p.x.ticket) {
		p.x.admitted = true // let in meanwhile: End gives the place back
	}
}
