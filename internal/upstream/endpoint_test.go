package upstream

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// A drain that saw nothing in flight cannot miss a request, and one that saw
// some waits for all of them.
func TestDrainMissesNothing(t *testing.T) {
	for range 200 {
		e := endpoints(1)[0]
		var workers sync.WaitGroup
		for range 4 {
			workers.Go(func() {
				for e.Acquire() {
					e.Release()
				}
			})
		}
		<-e.Drain()
		workers.Wait()
		if n := e.InFlight(); n != 0 {
			t.Fatalf("%d in flight", n)
		}
	}
}

func TestDrainWaits(t *testing.T) {
	e := endpoints(1)[0]
	e.Acquire()
	idle := e.Drain()
	select {
	case <-idle:
		t.Fatal("idle while a request is in flight")
	default:
	}
	if e.Acquire() || e.State() != "draining" {
		t.Error("a draining endpoint takes requests")
	}
	e.Release()
	<-idle
}

func TestStates(t *testing.T) {
	e := New(Identity{Address: "10.0.0.1:80"}, "", 0, true)
	is := func(want string) {
		t.Helper()
		if got := e.State(); !strings.HasPrefix(got, want) {
			t.Errorf("state %q, want %q", got, want)
		}
	}
	is("waiting for health probes")
	if e.usable(Clock(time.Now())) || !e.Checked() || e.Weight != 1 {
		t.Error("a new checked endpoint takes nothing, and weighs 1")
	}
	e.MarkHealth(true)
	is("ready")
	e.MarkHealth(false)
	is("health probes fail")
	e.MarkHealth(true)
	e.Hold()
	is("drained by hand")
	if !e.Held() || e.Acquire() {
		t.Error("a held endpoint takes requests")
	}
	e.Unhold()
	is("ready")
}

func TestEjection(t *testing.T) {
	eps := endpoints(4)
	b := backendOf(Random, eps)
	e := eps[0]
	fail := func(n int) {
		for range n {
			b.Observe(e, ConnectFailed, 0, time.Now(), time.Now())
		}
	}
	fail(2)
	b.Observe(e, Answered, 200, time.Now(), time.Now()) // in a row is in a row
	fail(2)
	if e.State() != "ready" {
		t.Fatalf("after two in a row: %s", e.State())
	}
	fail(1)
	if !strings.Contains(e.State(), "ejected") || !strings.Contains(e.State(), "3 failed attempts") {
		t.Fatalf("after three in a row: %s", e.State())
	}
	span := func() time.Duration { return time.Duration(e.ejection.until.Load() - Clock(time.Now())) }
	if s := span(); s < 700*time.Millisecond || s > time.Second {
		t.Errorf("the first ejection lasts %v", s)
	}
	for range 5 {
		e.ejection.until.Store(1)
		fail(1)
	}
	if s := span(); s < 5*time.Second || s > 8*time.Second {
		t.Errorf("a later ejection lasts %v, at most 8s", s)
	}
	e.MarkHealth(true)
	if e.State() != "ready" {
		t.Errorf("a healthy event clears an ejection: %s", e.State())
	}
}

func TestEjectionsGrowUpToTheirMost(t *testing.T) {
	for _, r := range []EjectRules{
		{Base: time.Second, Max: 30 * time.Second}, {Base: time.Hour, Max: 1 << 62}, {Base: 3, Max: 2}, {},
	} {
		for n := 1; n < 100; n++ {
			full := min(r.Base, r.Max)
			for range n - 1 {
				full = min(full, r.Max/2) * 2
			}
			if s := r.span(n); s > r.Max || s < full/4*3-2 {
				t.Fatalf("%+v: ejection %d lasts %v", r, n, s)
			}
		}
	}
}

// Every way an endpoint can fail by its own doing counts; an answer clears.
func TestWhatCountsAsFailure(t *testing.T) {
	for o, want := range map[Outcome]bool{
		ConnectFailed: true, Reset: true, ConnectTimedOut: true, Broken: true, Truncated: true,
		TimedOut: false, Stale: false, Canceled: false, Invalid: false,
	} {
		b := backendOf(Random, endpoints(2))
		for range 3 {
			b.Observe(b.Endpoints[0], o, 200, time.Now(), time.Now())
		}
		if ejected := b.Endpoints[0].State() != "ready"; ejected != want {
			t.Errorf("%v three times: %s", o, b.Endpoints[0].State())
		}
	}
}

func TestNeverMoreThanHalfAreEjected(t *testing.T) {
	for n, want := range map[int]int{1: 0, 2: 1, 3: 1, 4: 2} {
		eps := endpoints(n)
		b := backendOf(Random, eps)
		for _, e := range eps {
			for range 10 {
				b.Observe(e, Broken, 0, time.Now(), time.Now())
			}
		}
		out := 0
		for _, e := range eps {
			if e.State() != "ready" {
				out++
			}
		}
		if out != want {
			t.Errorf("%d of %d are out, want %d", out, n, want)
		}
	}
}

func TestServerErrorsEjectWhereAskedTo(t *testing.T) {
	eps := endpoints(2)
	b := backendOf(Random, eps)
	b.Observe(eps[0], Answered, 500, time.Now(), time.Now())
	if eps[0].State() != "ready" {
		t.Error("server errors count although that is off")
	}
	b.Eject.ServerErrors = 2
	b.Observe(eps[0], Answered, 503, time.Now(), time.Now())
	b.Observe(eps[0], Answered, 503, time.Now(), time.Now())
	if !strings.Contains(eps[0].State(), "2 server errors") {
		t.Errorf("state %s", eps[0].State())
	}
}

func TestOutcomeWords(t *testing.T) {
	if None.String() != "none" || Canceled.String() != "canceled" {
		t.Error("outcomes lost their words")
	}
}

// With one of two drained by hand, the other is the last one left.
func TestTheLastUsableIsNotEjected(t *testing.T) {
	eps := endpoints(2)
	b := backendOf(Random, eps)
	eps[0].Hold()
	for range 10 {
		b.Observe(eps[1], ConnectFailed, 0, time.Now(), time.Now())
	}
	if eps[1].State() != "ready" {
		t.Errorf("state %s", eps[1].State())
	}
}
