package upstream

import (
	"testing"
	"time"
	"unsafe"
)

// stepped is t as the clock shows it after somebody set it forward (or back):
// the same moment, as the monotonic clock knows.
func stepped(t *testing.T, at time.Time, by time.Duration) time.Time {
	t.Helper()
	after := at
	*(*int64)(unsafe.Pointer(&after)) += int64(by/time.Second) << 30 // time.Time.wall, in seconds
	if after.Sub(at) != 0 || after.UnixNano()-at.UnixNano() != int64(by) {
		t.Fatal("time.Time is made otherwise by now")
	}
	return after
}

// Whoever sets the wall clock changes nothing of what lasts.
func TestTheWallClockMayStep(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		b, e, over := ejected(t, 2)
		soon := over.Add(-100 * time.Millisecond)
		if !e.usable(Clock(stepped(t, over, by))) || e.usable(Clock(stepped(t, soon, by))) {
			t.Errorf("a step by %v moves the end of an ejection", by)
		}
		b.Observe(e, Broken, 0, over, stepped(t, over, by))
		if left := e.ejection.until.Load() - Clock(over); left < int64(time.Second) || left > int64(2*time.Second) {
			t.Errorf("ejected for %v at a step by %v", time.Duration(left), by)
		}

		b.SlowStart = time.Minute
		e = b.Endpoints[1]
		now := time.Now()
		e.since.Store(Clock(now.Add(-30 * time.Second)))
		if share := b.share(e, nil, Clock(stepped(t, now, by))); share != shareUnit/2 {
			t.Errorf("half warm has a share of %d", share)
		}

		var budget Budget
		for range budgetFloor {
			budget.Retry(now)
		}
		if budget.Retry(stepped(t, now, by)) {
			t.Errorf("a step by %v refills the budget", by)
		}
		if !budget.Retry(stepped(t, now, by).Add((budgetSeconds + 1) * time.Second)) {
			t.Errorf("a step by %v keeps the budget spent", by)
		}
	}
}
