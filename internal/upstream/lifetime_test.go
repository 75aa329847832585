package upstream

import (
	"testing"
	"time"
)

const ms = time.Millisecond

func TestNothingIsFreshBeforeAConnectionWasSeenToLast(t *testing.T) {
	e := New(Identity{Address: "a"}, "", 1, false)
	if e.Fresh(0) {
		t.Error("a connection is fresh though nothing is known of its endpoint")
	}
	e.Lasted(200 * ms)
	if !e.Fresh(100 * ms) {
		t.Error("100 ms are too old though one lasted for 200 ms")
	}
	if e.Fresh(199 * ms) {
		t.Error("199 ms are fresh though none was seen to last for longer than 200 ms")
	}
}

func TestHalfTheYoungestAgeIsTooOld(t *testing.T) {
	e := New(Identity{Address: "a"}, "", 1, false)
	e.Lasted(999 * ms)
	e.Closed(1000 * ms)
	if !e.Fresh(400*ms) || e.Fresh(500*ms) {
		t.Errorf("fresh at 400 ms: %v, at 500 ms: %v; want true, false", e.Fresh(400*ms), e.Fresh(500*ms))
	}
	short := New(Identity{Address: "a"}, "", 1, false)
	short.Lasted(4 * ms)
	short.Closed(5 * ms)
	if short.Fresh(0) {
		t.Error("fresh though the endpoint closes after 5 ms: that is within what a busy one is late by")
	}
}

// An endpoint that closes one connection sooner than others lived has no limit
// that could be learnt from one.
func TestIrregularClosesAreNotTakenForALimit(t *testing.T) {
	e := New(Identity{Address: "a"}, "", 1, false)
	e.Lasted(300 * ms)
	e.Closed(250 * ms)
	e.Lasted(300 * ms)
	if e.Fresh(0) {
		t.Error("fresh though connections close at ages that nothing tells")
	}
}

func TestAYoungAgeIsForgottenOnceManyOutlivedIt(t *testing.T) {
	e := New(Identity{Address: "a"}, "", 1, false)
	e.Lasted(time.Minute)
	e.Closed(10 * ms) // it was restarted
	for range outliving - 1 {
		e.Outlived(time.Second)
	}
	if e.Fresh(100 * ms) {
		t.Fatal("forgotten too soon")
	}
	e.Closed(12 * ms) // so it does close young ones
	for range outliving - 1 {
		e.Outlived(time.Second)
	}
	if e.Fresh(100 * ms) {
		t.Fatal("forgotten though another was closed as young meanwhile")
	}
	e.Outlived(time.Second)
	if !e.Fresh(100 * ms) {
		t.Error("not forgotten after all lived")
	}
}
