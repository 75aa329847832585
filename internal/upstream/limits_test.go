package upstream

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestBudget(t *testing.T) {
	var b Budget
	now := time.Unix(1000, 0)
	for i := range budgetFloor {
		if !b.Retry(now) {
			t.Fatalf("retry %d of the floor was refused", i)
		}
	}
	if b.Retry(now) {
		t.Error("more than the floor without requests")
	}
	for range 100 {
		b.Request(now)
	}
	given := 0
	for b.Retry(now) {
		given++
	}
	if given != 100/budgetShare-budgetFloor {
		t.Errorf("%d more after 100 requests", given)
	}
	if later := now.Add((budgetSeconds + 1) * time.Second); !b.Retry(later) {
		t.Error("the budget does not forget")
	}
}

func TestBudgetIsNotOverdrawnByManyAtOnce(t *testing.T) {
	for range 100 {
		var b Budget
		now := time.Unix(1000, 0)
		var granted atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if b.Retry(now) {
					granted.Add(1)
				}
			})
		}
		all.Wait()
		if n := granted.Load(); n != budgetFloor {
			t.Fatalf("%d retries were granted, want %d", n, budgetFloor)
		}
	}
}

func TestRefusedDialsAreFreeOfTheBudget(t *testing.T) {
	var b Budget
	now := time.Unix(1000, 0)
	for range 100 {
		if !b.Allows(ConnectFailed, now) || !b.Allows(Reset, now) || !b.Allows(ConnectTimedOut, now) || !b.Allows(None, now) {
			t.Fatal("a refused dial or a first attempt was counted")
		}
	}
	for _, o := range []Outcome{Invalid, Broken, Stale} {
		if !b.Allows(o, now) {
			t.Errorf("%v is above the budget's floor", o)
		}
	}
	if b.Allows(TimedOut, now) {
		t.Error("the budget is spent")
	}
}

// waiting is a ticket, and tells when it is in.
type waiting struct {
	Ticket
	ready chan struct{}
}

// lineUp waits for a place; nil where the queue is full.
func lineUp(a *Admission) *waiting {
	w := &waiting{ready: make(chan struct{})}
	if !a.Queue(&w.Ticket) {
		return nil
	}
	a.Call(&w.Ticket, func() { close(w.ready) })
	return w
}

func TestAdmission(t *testing.T) {
	var a Admission
	a.configure(1, 2)
	if !a.Enter() || a.Enter() {
		t.Fatal("a limit of one lets in one")
	}
	first, second := lineUp(&a), lineUp(&a)
	if first == nil || second == nil || lineUp(&a) != nil {
		t.Fatal("a queue of two holds two")
	}
	if a.Enter() {
		t.Error("somebody passed the queue")
	}
	a.Leave()
	<-first.ready
	select {
	case <-second.ready:
		t.Fatal("the second was let in with the first")
	default:
	}
	if !a.Abandon(&second.Ticket) || a.Abandon(&first.Ticket) {
		t.Error("abandoning: one waits, one is in")
	}
	woken := 0
	var third Ticket
	if !a.Queue(&third) || third.in {
		t.Error("the third is in, or was sent away")
	}
	a.Call(&third, func() { woken++ })
	if woken != 0 {
		t.Error("the third was woken where there is no place")
	}
	a.configure(2, 2) // a reload raises the limit
	if woken != 1 {
		t.Errorf("the third was woken %d times", woken)
	}
	if a.Call(&third, func() { woken++ }); woken != 2 { // who asks late is told at once
		t.Error("who is in already is not told")
	}
	a.Leave()
	a.Leave()
	if a.inFlight.Load() != 0 || a.waiting.Load() != 0 {
		t.Errorf("%d in flight, %d waiting", a.inFlight.Load(), a.waiting.Load())
	}
	a.configure(0, 0)
	for range 100 {
		if !a.Enter() {
			t.Fatal("no limit is no limit")
		}
	}
}

// The limit holds for two processes together.
func TestPlacesTakenElsewhereCount(t *testing.T) {
	var a Admission
	a.configure(3, 5)
	a.SetElsewhere(2)
	if !a.Enter() || a.Enter() {
		t.Fatal("two of three places are taken elsewhere")
	}
	first, second := lineUp(&a), lineUp(&a)
	a.SetElsewhere(1)
	<-first.ready
	a.SetElsewhere(9) // more than there are
	a.Leave()
	select {
	case <-second.ready:
		t.Fatal("let in where all places are taken elsewhere")
	default:
	}
	a.configure(0, 5) // no limit: nobody counts
	<-second.ready
	a.configure(3, 5)
	if a.Enter() {
		t.Error("a reload forgot what is taken elsewhere")
	}
	a.SetElsewhere(0)
	if n := a.InFlight(); n != 2 || !a.Enter() {
		t.Errorf("%d in flight", n)
	}
}
