package upstream

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ejected is a backend of n endpoints whose first was ejected, and the time at
// which its ejection is over.
func ejected(t *testing.T, n int) (b *Backend, sick *Endpoint, over time.Time) {
	t.Helper()
	b = backendOf(Random, endpoints(n))
	sick = b.Endpoints[0]
	now := time.Now()
	for range 3 {
		b.Observe(sick, ConnectFailed, 0, now, now)
	}
	if !sick.ejection.active(Clock(now)) {
		t.Fatal("not ejected")
	}
	return b, sick, began.Add(time.Duration(sick.ejection.until.Load()))
}

type step func(b *Backend, e *Endpoint, now time.Time)

// try has one request try an ejected endpoint, which ends somehow, and looks at
// what becomes of the endpoint after that.
func try(t *testing.T, name string, end, after step) {
	t.Run(name, func(t *testing.T) {
		b, e, now := ejected(t, 2)
		if n := trials(b, e, now); n != 1 {
			t.Fatalf("%d requests try it at once", n)
		}
		if n := trials(b, e, now.Add(time.Second)); n != 0 {
			t.Fatalf("%d more while it is tried", n)
		}
		end(b, e, now)
		e.Release()
		after(b, e, now)
	})
}

// observe ends it with an outcome.
func observe(o Outcome, status int) step {
	return func(b *Backend, e *Endpoint, now time.Time) { b.Observe(e, o, status, now, now) }
}

// trials counts who of many requests at once gets e.
func trials(b *Backend, e *Endpoint, now time.Time) int {
	var got atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if picked := b.Pick(0, nil, now); picked == e {
				got.Add(1)
			} else {
				picked.Release()
			}
		})
	}
	all.Wait()
	return int(got.Load())
}

func TestOneRequestTriesWhatWasEjected(t *testing.T) {
	in := func(b *Backend, e *Endpoint, now time.Time) {
		t.Helper()
		if n := trials(b, e, now); n < 2 || e.ejection.until.Load() != 0 {
			t.Errorf("%d of 64 go to an endpoint that is well", n)
		}
	}
	out := func(b *Backend, e *Endpoint, now time.Time) {
		t.Helper()
		left := time.Duration(e.ejection.until.Load() - Clock(now))
		if n := trials(b, e, now); n != 0 || left < time.Second {
			t.Errorf("out for %v more, and %d go to it", left, n)
		}
	}
	again := func(b *Backend, e *Endpoint, now time.Time) {
		t.Helper()
		if n := trials(b, e, now.Add(1)); n != 1 {
			t.Errorf("the next trial is made by %d", n)
		}
	}
	try(t, "an answer lets it in", observe(Answered, 200), in)
	try(t, "a failure ejects it for longer", observe(Broken, 0), out)
	try(t, "a time-out does too", observe(TimedOut, 0), out)
	try(t, "a client that leaves proves nothing", observe(Canceled, 0), again)
	try(t, "an attempt that was not made", observe(None, 0), again)
	try(t, "a stale connection", observe(Stale, 0), again)
	try(t, "a head is enough", func(b *Backend, e *Endpoint, now time.Time) { b.Headed(e, 200, now) }, in)
	try(t, "what began before says nothing", func(b *Backend, e *Endpoint, now time.Time) {
		b.Observe(e, Answered, 200, now.Add(-time.Minute), now)
		b.Observe(e, Broken, 0, now.Add(-time.Minute), now)
		b.Observe(e, Canceled, 0, now.Add(-time.Minute), now)
		b.Headed(e, 200, now.Add(-time.Minute))
		b.Observe(e, Canceled, 0, now, now)
	}, again)
	try(t, "a trial cannot be stuck", func(*Backend, *Endpoint, time.Time) {}, func(b *Backend, e *Endpoint, now time.Time) {
		again(b, e, now.Add(time.Duration(trialTime)))
	})
	try(t, "server errors", func(b *Backend, e *Endpoint, now time.Time) {
		b.Eject.ServerErrors = 2
		b.Headed(e, 500, now)
		if e.ejection.until.Load() == 0 {
			t.Error("let in by a server error")
		}
		b.Observe(e, Answered, 500, now, now) // the first: it can be reached
	}, in)
	try(t, "ejecting was turned off", func(b *Backend, e *Endpoint, now time.Time) {
		b.Eject = EjectRules{}
		b.Observe(e, Broken, 0, now, now)
	}, in)
}

// An answer whose body breaks off counts as a failure, though its head let the
// endpoint in.
func TestATrialThatBreaksOff(t *testing.T) {
	b, e, now := ejected(t, 2)
	if !b.PickPreferred(e, now) || b.PickPreferred(e, now) {
		t.Fatal("a sticky client tries it, and the next does not")
	}
	if state := e.State(); !strings.Contains(state, "ejected") { // by the real time
		t.Errorf("state %s", state)
	}
	b.Headed(e, 200, now)
	b.Observe(e, Truncated, 200, now, now)
	if !e.ejection.active(Clock(now)) || e.ejection.times.Load() != 2 {
		t.Error("an endpoint that breaks off is let in")
	}
}

// Where nothing else is left, an endpoint on trial is better than none.
func TestOnTrialIsBetterThanNone(t *testing.T) {
	b, e, now := ejected(t, 2)
	other := b.Endpoints[1]
	if !e.take(Clock(now)) {
		t.Fatal("no trial")
	}
	if got := b.Pick(0, []*Endpoint{other}, now); got != e {
		t.Errorf("a retry got %v", got)
	}
	if got := b.Pick(0, []*Endpoint{other, e}, now); got != nil {
		t.Errorf("a second retry got %v", got)
	}
	other.Hold()
	if got := b.Pick(0, nil, now); got != e {
		t.Errorf("got %v", got)
	}
	e.Hold()
	if got := b.Pick(0, nil, now); got != nil {
		t.Errorf("got %v", got)
	}
}

// On trial is out: else the other half could go meanwhile.
func TestTheHalfOnTrialIsOut(t *testing.T) {
	b, e, now := ejected(t, 2)
	for range 3 {
		b.Observe(b.Endpoints[1], Broken, 0, now, now)
	}
	if b.Endpoints[1].ejection.until.Load() != 0 {
		t.Error("the other one is out too")
	}
	// One that may not be ejected again, as others left, is no longer on trial.
	b.Endpoints[1].Hold()
	e.take(Clock(now))
	b.Observe(e, Broken, 0, now, now)
	if e.ejection.until.Load() != 0 || e.ejection.trial.Load() != 0 {
		t.Error("the last endpoint is on trial for ever")
	}
}

// An ejection survives new settings of its endpoint.
func TestASuccessorStaysEjected(t *testing.T) {
	_, e, over := ejected(t, 2)
	next := New(e.Identity, e.Name, 7, false)
	next.Succeed(e)
	if next.usable(Clock(over)-1) || !next.usable(Clock(over)) {
		t.Error("a new weight ends an ejection, or makes it last")
	}
}
