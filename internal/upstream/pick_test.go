package upstream

import (
	"fmt"
	"testing"
	"time"
)

func endpoints(n int, weights ...int) []*Endpoint {
	var all []*Endpoint
	for i := range n {
		weight := 1
		if i < len(weights) {
			weight = weights[i]
		}
		e := New(Identity{Backend: "b", Address: fmt.Sprintf("10.0.0.%d:80", i)}, fmt.Sprintf("app-%d", i), weight, false)
		e.since.Store(-int64(time.Hour))
		all = append(all, e)
	}
	return all
}

func backendOf(balance Balance, eps []*Endpoint) *Backend {
	return NewBackend("b", Rules{Balance: balance, Retries: 2, Eject: EjectRules{ConnectFailures: 3, Base: time.Second, Max: 8 * time.Second}}, [][]*Endpoint{eps}, nil)
}

func counts(b *Backend, n int, key func(i int) uint64) map[*Endpoint]int {
	got := map[*Endpoint]int{}
	now := time.Now()
	for i := range n {
		e := b.Pick(key(i), nil, now)
		got[e]++
		e.Release()
	}
	return got
}

func noKey(int) uint64 { return 0 }

// A chi-square test with 9 degrees of freedom: 99.99 % of uniform picks stay
// below 33.7.
func TestRandomIsUniform(t *testing.T) {
	eps := endpoints(10)
	got := counts(backendOf(Random, eps), 100_000, noKey)
	var chi float64
	for _, e := range eps {
		d := float64(got[e] - 10_000)
		chi += d * d / 10_000
	}
	if chi > 33.7 {
		t.Errorf("chi-square %.1f: %v", chi, got)
	}
}

func TestWeights(t *testing.T) {
	eps := endpoints(2, 1, 3)
	got := counts(backendOf(Random, eps), 40_000, noKey)
	if n := got[eps[1]]; n < 29_000 || n > 31_000 {
		t.Errorf("weight 3 of 4 got %d of 40000", n)
	}
	got = counts(backendOf(RoundRobin, eps), 400, noKey)
	if got[eps[0]] != 100 || got[eps[1]] != 300 {
		t.Errorf("round robin by weight: %d and %d", got[eps[0]], got[eps[1]])
	}
}

func TestRoundRobinTakesTurns(t *testing.T) {
	eps := endpoints(3)
	b := backendOf(RoundRobin, eps)
	var last *Endpoint
	for range 9 {
		e := b.Pick(0, nil, time.Now())
		e.Release()
		if e == last {
			t.Fatal("the same one twice in a row")
		}
		last = e
	}
}

func TestLeastRequestPrefersTheIdle(t *testing.T) {
	eps := endpoints(2)
	for range 10 {
		eps[0].Acquire()
	}
	b := backendOf(LeastRequest, eps)
	if got := counts(b, 100, noKey); got[eps[1]] != 100 {
		t.Errorf("the busy one got %d of 100", got[eps[0]])
	}
	if e := backendOf(LeastRequest, eps[:1]).Pick(0, nil, time.Now()); e != eps[0] {
		t.Error("a single endpoint was not picked")
	}
	if e := backendOf(LeastRequest, nil).Pick(0, nil, time.Now()); e != nil {
		t.Error("picked from nothing")
	}
}

func TestHashingMovesOnlyTheKeysOfWhatLeft(t *testing.T) {
	eps := endpoints(5)
	all, fewer := backendOf(ConsistentHash, eps), backendOf(ConsistentHash, eps[:4])
	now := time.Now()
	perEndpoint := map[*Endpoint]int{}
	for i := range 5_000 {
		key := Hash(fmt.Appendf(nil, "user-%d", i))
		before := all.Pick(key, nil, now)
		before.Release()
		after := fewer.Pick(key, nil, now)
		after.Release()
		perEndpoint[before]++
		if before != eps[4] && after != before {
			t.Fatal("a key moved although its endpoint stayed")
		}
	}
	for _, e := range eps {
		if n := perEndpoint[e]; n < 800 || n > 1200 {
			t.Errorf("%s has %d of 5000 keys", e.Name, n)
		}
	}
}

func TestHashingByWeight(t *testing.T) {
	eps := endpoints(2, 1, 3)
	got := counts(backendOf(ConsistentHash, eps), 40_000, func(i int) uint64 { return mix(uint64(i)) })
	if n := got[eps[1]]; n < 29_000 || n > 31_000 {
		t.Errorf("weight 3 of 4 got %d of 40000 keys", n)
	}
}

func TestHashingBoundsTheLoad(t *testing.T) {
	eps := endpoints(4)
	b := backendOf(ConsistentHash, eps)
	for range 400 { // one hot key, nothing released
		b.Pick(42, nil, time.Now())
	}
	for _, e := range eps {
		if n := e.InFlight(); n > 130 {
			t.Errorf("%s carries %d of 400", e.Name, n)
		}
	}
}

func TestTriedAndUnusableArePassedOver(t *testing.T) {
	for _, balance := range []Balance{Random, RoundRobin, LeastRequest, ConsistentHash} {
		eps := endpoints(4)
		eps[1].Hold()
		eps[2].Drain()
		b := backendOf(balance, eps)
		for i := range 50 {
			e := b.Pick(uint64(i), eps[:1], time.Now())
			if e != eps[3] {
				t.Fatalf("%s picked %v", balance, e)
			}
			e.Release()
		}
		if e := b.Pick(0, []*Endpoint{eps[0], eps[3]}, time.Now()); e != nil {
			t.Errorf("%s: all were tried, and %s picked", balance, e.Name)
		}
	}
}

func TestTheNewestGenerationTakesAll(t *testing.T) {
	eps := endpoints(4)
	b := NewBackend("b", Rules{Balance: Random}, [][]*Endpoint{eps[:2], eps[2:]}, nil)
	for e := range counts(b, 100, noKey) {
		if e != eps[0] && e != eps[1] {
			t.Fatal("an older generation took a request")
		}
	}
	eps[0].Hold()
	eps[1].Hold()
	if e := b.Pick(0, nil, time.Now()); e != eps[2] && e != eps[3] {
		t.Error("the older generation is not used when the newest has none")
	}
}

func TestSlowStartRamps(t *testing.T) {
	eps := endpoints(2)
	b := NewBackend("b", Rules{Balance: Random, SlowStart: 10 * time.Second}, [][]*Endpoint{eps}, nil)
	now := time.Now()
	eps[1].since.Store(Clock(now.Add(-5 * time.Second)))
	got := map[*Endpoint]int{}
	for range 30_000 {
		e := b.Pick(0, nil, now)
		got[e]++
		e.Release()
	}
	if n := got[eps[1]]; n < 9_000 || n > 11_000 {
		t.Errorf("half warm got %d of 30000, want a third", n)
	}
}

func TestPickPreferred(t *testing.T) {
	eps := endpoints(1)
	b := backendOf(Random, eps)
	if !b.PickPreferred(eps[0], time.Now()) {
		t.Error("a usable endpoint was refused")
	}
	eps[0].Hold()
	if b.PickPreferred(eps[0], time.Now()) {
		t.Error("a held endpoint was taken")
	}
}

func TestPickingAllocatesNothing(t *testing.T) {
	for _, balance := range []Balance{Random, RoundRobin, LeastRequest, ConsistentHash} {
		b, now := backendOf(balance, endpoints(8)), time.Now()
		if n := testing.AllocsPerRun(100, func() { b.Pick(7, nil, now).Release() }); n != 0 {
			t.Errorf("%s: %v allocations", balance, n)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	for _, balance := range []Balance{Random, RoundRobin, LeastRequest, ConsistentHash} {
		backend, now := backendOf(balance, endpoints(4)), time.Now()
		b.Run(string(balance), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				backend.Pick(7, nil, now).Release()
			}
		})
	}
}

// A sticky client follows its backend to a new generation.
func TestPreferenceYieldsToANewGeneration(t *testing.T) {
	eps := endpoints(2)
	b := NewBackend("b", Rules{Balance: Random}, [][]*Endpoint{eps[:1], eps[1:]}, nil)
	if b.PickPreferred(eps[1], time.Now()) {
		t.Error("the older generation took a request")
	}
	eps[0].Hold()
	if !b.PickPreferred(eps[1], time.Now()) {
		t.Error("the older generation is all there is")
	}
	if b.PickPreferred(endpoints(1)[0], time.Now()) {
		t.Error("an endpoint that is gone took a request")
	}
}
