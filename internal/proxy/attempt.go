package proxy

import (
	"time"

	"rgate/internal/route"
	"rgate/internal/stats"
	"rgate/internal/upstream"
)

// Next returns the endpoint for the next attempt, acquired: the first with
// last None, and each retry with how the attempt before it ended. Where it
// returns nil, Answer holds what the client is told.
//
// An attempt that provably sent nothing may always be made again; one that may
// have reached the endpoint only where the request can be sent twice.
func (x *Exchange) Next(last upstream.Outcome, now time.Time) *upstream.Endpoint {
	b := x.Route.Backend
	if last != upstream.None {
		x.settle(last, now)
		if !x.mayRetry(last, now) {
			x.reply(x.failure(last))
			return nil
		}
		b = x.current()
	}
	tried := x.tried[:min(x.attempts, maxAttempts)]
	e := x.pick(b.Backend, tried, now)
	if e == nil && (last == upstream.Stale || last == upstream.Broken || last == upstream.TimedOut) {
		e = b.Pick(x.key, nil, now) // no other is left: the same one, on a fresh connection
	}
	if e == nil {
		if last == upstream.None {
			x.reply(answerNoEndpoint)
		} else {
			x.reply(x.failure(last))
		}
		return nil
	}
	if x.attempts > 0 {
		x.Route.Stats.Retry()
	}
	if x.attempts < maxAttempts {
		x.tried[x.attempts] = e
	}
	x.attempts++
	x.endpoint, x.attempt, x.headed = e, now, false
	e.Stats.Begin()
	return e
}

func (x *Exchange) pick(b *upstream.Backend, tried []*upstream.Endpoint, now time.Time) *upstream.Endpoint {
	if p := x.preferred; p != nil && x.attempts == 0 && b.PickPreferred(p, now) {
		return p
	}
	return b.Pick(x.key, tried, now)
}

// current is the backend as it is now: an endpoint that came or went while
// the attempt ran is known to the newest table only.
func (x *Exchange) current() *route.Backend {
	if b := x.gate.Table().Backend(x.Route.Backend.Name); b != nil {
		return b
	}
	return x.Route.Backend
}

func (x *Exchange) mayRetry(last upstream.Outcome, now time.Time) bool {
	b := x.Route.Backend
	if x.attempts > b.Retries {
		return false
	}
	switch last {
	case upstream.ConnectFailed:
		// The body was not touched. A refused dial costs next to nothing, so
		// it does not count against the budget.
		return true
	case upstream.Stale, upstream.Broken, upstream.TimedOut:
		return x.Repeatable() && b.Budget.Retry(now)
	}
	return false
}

// failure is what the client is told when the last attempt ended so. That no
// endpoint could be reached is said only where none was.
func (x *Exchange) failure(last upstream.Outcome) *Answer {
	if last == upstream.ConnectFailed && x.reached {
		return answerBroken
	}
	return failure(last)
}

// failure is what the client is told when the last attempt ended so.
func failure(o upstream.Outcome) *Answer {
	switch o {
	case upstream.ConnectFailed:
		return answerConnect
	case upstream.TimedOut:
		return answerTimeout
	case upstream.Stale, upstream.Broken:
		return answerBroken
	}
	return answerInvalid
}

// settle ends the attempt under way, if any.
func (x *Exchange) settle(o upstream.Outcome, now time.Time) {
	e := x.endpoint
	if e == nil || x.attempt.IsZero() {
		return
	}
	x.reached = x.reached || o != upstream.ConnectFailed
	x.Route.Backend.Observe(e, o, x.Status)
	status := x.Status
	if o != upstream.Answered {
		status = attemptStatus(o)
	}
	e.Stats.End(stats.Record{Status: status, Duration: now.Sub(x.attempt), BytesIn: x.BytesIn, BytesOut: x.BytesOut})
	e.Release()
	x.attempt = time.Time{}
}

// attemptStatus is the status that a failed attempt counts as on its endpoint.
func attemptStatus(o upstream.Outcome) int {
	if o == upstream.Canceled {
		return StatusClientClosed
	}
	return failure(o).Status
}

// StatusClientClosed is recorded where the client went away before it was
// answered (nginx's 499).
const StatusClientClosed = 499

// Head says that a response head with this status arrived and is about to be
// sent to the client.
func (x *Exchange) Head(status int) {
	x.Status, x.headed = status, true
	if s := x.Route.Backend.Sticky; s != nil && x.endpoint != x.preferred {
		if value := s.Value(x.endpoint); value != "" {
			x.SetCookie = []byte(s.Cookie + "=" + value + "; Path=/; HttpOnly; SameSite=Lax")
		}
	}
}

// End records the exchange. o is how its last attempt ended: Answered where a
// head arrived, whatever came after it, Canceled where the client went before.
func (x *Exchange) End(o upstream.Outcome, now time.Time) {
	if x.ended || x.gate == nil {
		return
	}
	x.ended = true
	if x.headed {
		o = upstream.Answered
	}
	x.settle(o, now)
	if x.admitted {
		x.Route.Backend.Gate.Leave()
	}
	if x.Status == 0 {
		x.Status = StatusClientClosed
	}
	counters := x.Table.Unmatched
	if x.Route != nil {
		counters = x.Route.Stats
	}
	counters.End(stats.Record{Status: x.Status, Duration: now.Sub(x.Start), BytesIn: x.BytesIn, BytesOut: x.BytesOut})
	if x.Answer != nil && x.Answer.Reason != ReasonNoRoute {
		x.gate.logFault(x)
	}
}
