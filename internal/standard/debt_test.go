package standard

import (
	"testing"
	"time"
	"unsafe"

	"rgate/internal/config"
)

// What a client owes is due when it was, though somebody sets the wall clock.
func TestTheWallClockMayStepWhileAClientOwes(t *testing.T) {
	for _, hours := range []int64{1, -1} {
		step := func(at time.Time) time.Time {
			*(*int64)(unsafe.Pointer(&at)) += hours * 3600 << 30 // time.Time.wall, in seconds
			return at
		}
		now := time.Now()
		if after := step(now); after.Sub(now) != 0 || after.Unix()-now.Unix() != hours*3600 {
			t.Fatal("time.Time is made otherwise by now")
		}
		var d debt
		d.owe(head, now, now.Add(10*time.Second))
		later := step(now.Add(2 * time.Second))
		if due := d.due(later, config.Default(), false); due.Sub(now) != 10*time.Second {
			t.Errorf("a head is due in %v", due.Sub(now))
		}
		d.owe(reading, now, now.Add(time.Minute))
		if due := d.due(later, config.Default(), false); !due.IsZero() {
			t.Error("two seconds are taken for more than the pause allowed")
		}
	}
}
