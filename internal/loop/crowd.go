//go:build linux

package loop

import (
	"iter"
	"math/rand/v2"
	"net/netip"
	"time"

	"rgate/internal/proxy"
)

// admit takes a client in at the cost of one that does not get on, if need be:
// else whoever holds enough such connections keeps everybody out.
func (l *loop) admit(a netip.Addr) bool {
	for {
		switch l.engine.crowd.Enter(a, l.cfg) {
		case proxy.Admitted:
			return true
		case proxy.Greedy:
			return false
		}
		c := l.dispensable()
		switch {
		case l.engine.makeRoom != nil && l.engine.makeRoom(l.weight(c)):
		case c != nil:
			l.close(c)
		default:
			return false
		}
	}
}

// weight is that of c's peer, and 0 for no client.
func (l *loop) weight(c *conn) int {
	if c == nil {
		return 0
	}
	return l.engine.crowd.Weight(c.holder(), l.cfg)
}

// A search for a client compares this many, and looks at so many descriptors
// for them: most may be another loop's, or busy.
const (
	compared = 16
	looks    = 1024
)

// some are clients of l, at random where there are many.
func (l *loop) some() iter.Seq[*conn] {
	return func(yield func(*conn) bool) {
		for i := range looks {
			at := i // few descriptors are looked at one and all
			if len(l.socks) > looks {
				at = rand.IntN(len(l.socks))
			} else if i >= len(l.socks) {
				return
			}
			if c := l.socks[at].client; c != nil && !yield(c) {
				return
			}
		}
	}
}

// dispensable is, of some clients that do not get on, one of whoever holds most
// of the room, and of those the one that would be closed first anyway. It is nil
// where none was found.
func (l *loop) dispensable() (first *conn) {
	found, firstDue, heaviest := 0, int64(0), 0
	for c := range l.some() {
		if !c.counted || c.queued {
			continue
		}
		weight := l.weight(c)
		due := l.due(c, weight > 0)
		if due == 0 {
			continue
		}
		sooner := first == nil || weight > heaviest || weight == heaviest && due < firstDue
		// What is there to be read may be what was waited for.
		if sooner && (c.phase != phaseHead || c.alive()) {
			first, firstDue, heaviest = c, due, weight
		}
		if found++; found == compared {
			break
		}
	}
	return first
}

// What a client may do without being dispensable.
const (
	graceTicks = int64(time.Second / tick)     // take a while for its head, or its upload to begin
	pauseTicks = int64(5 * time.Second / tick) // take nothing of its answer
	freeRate   = 16 << 10 / graceTicks         // bytes of its upload in a tick
)

// due is the tick at which c would be closed if it went on as it does; 0 where
// it gets on. Heavy clients have no grace.
func (l *loop) due(c *conn, heavy bool) int64 {
	w, now := c.work, l.wheel.now
	young := !heavy && now-c.since < graceTicks
	switch c.phase {
	case phaseProxy:
		return int64(c.timer.at)
	case phaseGreet:
		if young && !c.ungreeted() {
			return now + ticks(l.cfg.Timeouts.Idle)
		}
		return int64(c.timer.at)
	case phaseHead:
		switch {
		case w == nil:
			return int64(c.timer.at)
		case w.in.Empty():
			return 0 // it is about to be read
		case young:
			return now + ticks(l.cfg.Timeouts.Idle) // as if it had just been answered
		}
		return int64(c.timer.at)
	case phaseLinger:
		if young {
			return now + ticks(l.cfg.Timeouts.Idle)
		}
		return int64(c.timer.at)
	case phaseRelay, phaseFlush:
		pause := pauseTicks
		if heavy {
			pause = graceTicks
		}
		if w.told != 0 && now-w.told >= pause {
			return w.told + ticks(l.cfg.Timeouts.Idle)
		}
		if c.phase == phaseRelay {
			return l.uploadDue(w, heavy)
		}
	}
	return 0
}

// uploadDue is when the bytes that came so far would not be enough any more; 0
// for an upload that is not slow, or not for its client's sake.
func (l *loop) uploadDue(w *work, heavy bool) int64 {
	if w.origin == nil || w.origin.connecting || !w.up.Empty() || !w.uploads() {
		return 0
	}
	lasts, moved := l.wheel.now-w.since, w.x.BytesIn-w.moved
	if !heavy && lasts < graceTicks || moved >= freeRate*max(lasts, graceTicks) {
		return 0
	}
	least := &l.cfg.Limits.BodyProgress
	return w.since + ticks(least.Within)*(1+moved/int64(max(least.Bytes, 1<<10)))
}
