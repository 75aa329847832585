package proxy

import (
	"bytes"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
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
	if last != upstream.None {
		x.gate.logAttempt(x, last)
		x.settle(last, now)
		if !x.mayRepeat(last) {
			x.reply(x.failure(last))
			return nil
		}
	}
	e := x.newest(last, now)
	if e != nil && !x.backend.Budget.Allows(last, now) {
		x.backend.Observe(e, upstream.None, 0, now, now)
		e.Release()
		e = nil
	}
	if e == nil {
		x.reply(x.failure(last))
		return nil
	}
	if x.attempts > 0 {
		x.target.Stats.Retry()
	}
	if x.attempts < maxAttempts {
		x.tried[x.attempts] = e
	}
	x.attempts++
	x.endpoint, x.attempt, x.asked, x.headed, x.Fault = e, now, now, false, nil
	e.Stats.Begin()
	return e
}

// newest picks from the newest table. An exchange may have waited in a queue
// since its own was replaced, and another may take its place at any moment:
// then what is left of the old one drains, and the new one has to be asked.
func (x *Exchange) newest(last upstream.Outcome, now time.Time) *upstream.Endpoint {
	for t := x.gate.Table(); ; {
		x.goBy(t)
		e, newest := x.another(x.backend.Backend, last, now), x.gate.Table()
		if e != nil || t == newest {
			return e
		}
		t = newest
	}
}

// another picks an endpoint that was not tried yet. Where none is left, one
// that was reached before is asked again, on a fresh connection.
func (x *Exchange) another(b *upstream.Backend, last upstream.Outcome, now time.Time) *upstream.Endpoint {
	e := x.pick(b, x.tried[:min(x.attempts, maxAttempts)], now)
	if e != nil {
		return e
	}
	switch last {
	case upstream.Stale, upstream.Reset, upstream.Untouched, upstream.Broken, upstream.TimedOut:
		return b.Pick(x.key, nil, now)
	}
	return nil
}

func (x *Exchange) pick(b *upstream.Backend, tried []*upstream.Endpoint, now time.Time) *upstream.Endpoint {
	if p := x.preferred; p != nil && x.attempts == 0 && b.PickPreferred(p, now) {
		return p
	}
	return b.Pick(x.key, tried, now)
}

// goBy has x go by its backend as it is in t. Where t lacks it, as after it was
// renamed, its endpoints drain: x goes where it would if it came now, or by
// what there was where nothing takes it now, or only by policies that x was not
// asked for.
func (x *Exchange) goBy(t *route.Table) {
	was := x.backend
	if x.backend = x.target.Backend; t != x.Table {
		if b := t.Backend(x.target.Backend.Name); b != nil {
			x.goTo(b)
		} else if r, _ := x.match(t); r != nil && !r.Policies.Answers() && r.Policies.Alike(x.Route.Policies) {
			x.goTo(r.Target(mathrand.Int64N).Backend)
		}
	}
	if b := x.backend; b != was && b.Balance == upstream.ConsistentHash && (was.Balance != b.Balance || was.Config.Traffic.Balance != b.Config.Traffic.Balance) {
		x.chooseKey(b)
	}
	if p := x.preferred; p != nil && was.Sticky != nil && x.backend != was {
		x.preferred = nil
		if s := x.backend.Sticky; s != nil {
			x.preferred = s.Find([]byte(was.Sticky.Value(p))) // its name may have another address now
		}
	}
}

// goTo has x go by b, where its engine can speak to that one's endpoints. A
// request that waited while they changed is not handed over any more.
func (x *Exchange) goTo(b *route.Backend) {
	if !x.Plain || b.Link == nil {
		x.backend = b
	}
}

// mayRepeat tells whether the request may be sent again after an attempt that
// ended so. One that found no connection does not count as a retry: nobody is
// told that no endpoint can be reached while one was not asked.
func (x *Exchange) mayRepeat(last upstream.Outcome) bool {
	retries := x.target.Backend.Retries
	if x.free(last) && retries > 0 {
		x.refused++
	}
	if x.attempts-x.refused > retries || x.attempts >= maxAttempts {
		return false
	}
	switch last {
	case upstream.ConnectFailed, upstream.Reset, upstream.Untouched, upstream.ConnectTimedOut, upstream.Unable:
		return true // the body was not touched, or can be sent again
	case upstream.Stale, upstream.Broken:
		return x.Repeatable() && x.patience() > 0
	case upstream.TimedOut:
		return x.Repeatable() && x.patience() > 0 && x.target.Backend.RetryTimeouts
	case upstream.Refused:
		return true // Refused asked whether the request can be sent again
	}
	return false
}

// free tells whether an attempt that ended so is none of the retries. To be
// refused takes no time; to wait for connections may take what a head may.
func (x *Exchange) free(o upstream.Outcome) bool {
	return o == upstream.ConnectFailed || o == upstream.Unable || o == upstream.ConnectTimedOut && x.connecting < x.Table.Config.Timeouts.ResponseHeader
}

// unconnected tells whether o says that there was no connection.
func unconnected(o upstream.Outcome) bool {
	return o == upstream.ConnectFailed || o == upstream.Reset || o == upstream.ConnectTimedOut || o == upstream.Unable
}

// failure is what the client is told when the last attempt ended so. That no
// endpoint could be reached is said only where none was.
func (x *Exchange) failure(last upstream.Outcome) *Answer {
	if unconnected(last) && x.reached {
		return answerBroken
	}
	if last == upstream.Invalid && (x.Fault == ErrResponseHeaderBytes || x.Fault == ErrResponseHeaderCount) {
		return answerOversized
	}
	return failure(last)
}

// Why an answer's head is not read on, as Exchange.Fault.
var (
	ErrResponseHeaderBytes = errors.New("the head of the endpoint's answer is larger than limits.response_header_bytes")
	ErrResponseHeaderCount = errors.New("the endpoint's answer has more fields than limits.response_header_count")
)

// failure is what the client is told when the last attempt ended so.
func failure(o upstream.Outcome) *Answer {
	switch o {
	case upstream.None:
		return answerNoEndpoint
	case upstream.ConnectFailed, upstream.Reset, upstream.ConnectTimedOut, upstream.Unable:
		return answerConnect
	case upstream.TimedOut:
		return answerTimeout
	case upstream.Stale, upstream.Untouched, upstream.Broken:
		return answerBroken
	case upstream.Refused:
		return answerRefused
	case upstream.Expired:
		return answerDeadline
	}
	return answerInvalid
}

// settle ends the attempt under way, if any.
func (x *Exchange) settle(o upstream.Outcome, now time.Time) {
	e := x.endpoint
	if e == nil || x.attempt.IsZero() {
		return
	}
	x.reached = x.reached || !unconnected(o)
	x.wait(o, now)
	x.backend.Observe(e, o, x.sound(), x.attempt, now)
	status := x.Status
	if !x.headed {
		status = attemptStatus(o)
	}
	e.Stats.End(stats.Record{
		Status: status, Duration: now.Sub(x.attempt), BytesIn: x.BytesIn, BytesOut: x.BytesOut,
		Truncated: o == upstream.Truncated,
	})
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
	x.backend.Headed(x.endpoint, status, x.attempt)
	if s := x.backend.Sticky; s != nil && x.endpoint != x.preferred {
		if value := s.Value(x.endpoint); value != "" {
			cookie := s.Cookie + "=" + value + "; Path=/; HttpOnly; SameSite=Lax"
			if bytes.EqualFold(x.said("X-Forwarded-Proto", x.proto()), protoHTTPS) {
				cookie += "; Secure"
			}
			x.SetCookie = []byte(cookie)
		}
	}
}

// End records the exchange. o is how its last attempt ended. Once Head was
// called that is Answered, whoever ended the body, with one exception: an
// engine that finds the endpoint to have died before the body's end aborts the
// client's message, so that nobody takes it for whole, and says Truncated. The
// status stays the one that was sent; the exchange counts as truncated besides,
// and the endpoint's failure counts as a reset does. Before Head, Canceled says
// that the client went away.
func (x *Exchange) End(o upstream.Outcome, now time.Time) {
	if x.ended || x.gate == nil {
		return
	}
	x.ended = true
	if x.headed && o != upstream.Truncated {
		o = upstream.Answered
	}
	x.settle(o, now)
	if x.admitted {
		x.target.Backend.Gate.Leave()
	}
	if x.Status == 0 {
		x.Status = StatusClientClosed
	}
	counters := x.Table.Unmatched
	if x.target != nil {
		counters = x.target.Stats
	}
	counters.End(stats.Record{
		Status: x.Status, Duration: now.Sub(x.Start), BytesIn: x.BytesIn, BytesOut: x.BytesOut,
		Truncated: o == upstream.Truncated,
	})
	switch {
	case o == upstream.Truncated:
		x.gate.logFault(x, slog.LevelWarn, "an endpoint broke off its answer", ReasonTruncated)
	case x.Answer != nil && !x.Answer.Meant && !unmatched(x.Answer):
		level := slog.LevelWarn
		if x.Status < 500 {
			level = slog.LevelInfo
		}
		x.gate.logFault(x, level, "rgate answered by itself", x.Answer.Reason)
	}
}
