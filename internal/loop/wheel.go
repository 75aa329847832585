//go:build linux

package loop

import (
	"math"
	"time"
)

// The wheel's grain and size. Timeouts are seconds; a tenth is exact enough.
const (
	tick      = 100 * time.Millisecond
	wheelSize = 512
)

// timer is one connection's deadline. Moving it later, which happens for every
// request, is a store: it is looked at again when its old slot comes round.
type timer struct {
	prev, next *timer
	at         uint32 // tick at which it fires; 0 for never
	slot       uint32 // tick it is filed under; 0 for not filed. Ticks of 32 bits last for 13 years
	client     *conn
	origin     *origin
}

// wheel files timers by tick, coarsely.
type wheel struct {
	slots [wheelSize]timer // list heads
	now   int64            // the last tick looked at
	begin time.Time
}

func (w *wheel) start(now time.Time) {
	w.begin, w.now = now, 1
	for i := range w.slots {
		w.slots[i].prev, w.slots[i].next = &w.slots[i], &w.slots[i]
	}
}

// ticks is d, rounded up.
func ticks(d time.Duration) int64 { return int64((d + tick - 1) / tick) }

func (w *wheel) tickOf(t time.Time) int64 { return int64(t.Sub(w.begin)/tick) + 1 }

// set makes t fire after d from now; never, with 0.
func (w *wheel) set(t *timer, now time.Time, d time.Duration) {
	if d <= 0 {
		t.at = 0
		return
	}
	t.at = uint32(min(w.tickOf(now.Add(d))+1, math.MaxUint32))
	if t.slot != 0 && t.slot <= t.at {
		return
	}
	t.unlink()
	w.file(t)
}

func (w *wheel) file(t *timer) {
	t.slot = uint32(max(min(int64(t.at), w.now+wheelSize-1), w.now+1))
	head := &w.slots[t.slot%wheelSize]
	t.prev, t.next = head.prev, head
	head.prev.next, head.prev = t, t
}

func (t *timer) unlink() {
	if t.slot != 0 {
		t.prev.next, t.next.prev = t.next, t.prev
		t.prev, t.next, t.slot = nil, nil, 0
	}
}

// advance calls fire for every timer that is due.
func (w *wheel) advance(now time.Time, fire func(*timer)) {
	for to := w.tickOf(now); w.now < to; {
		w.now++
		head := &w.slots[w.now%wheelSize]
		// Nothing is filed under the slot of now, so this comes to an end.
		for head.next != head {
			t := head.next
			t.unlink()
			switch {
			case t.at == 0:
			case int64(t.at) > w.now:
				w.file(t)
			default:
				t.at = 0
				fire(t)
			}
		}
	}
}
