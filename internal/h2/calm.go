package h2

import "time"

// What the other side may do that costs work and gets nobody on. Each allowance is
// so many at once, and then one in each while.
const (
	mostControl  = 1000 // frames that carry nothing
	controlEvery = 5 * time.Millisecond
	mostResets   = 200 // streams that it ended before their time, or has had ended by what it did
	resetEvery   = 20 * time.Millisecond

	mostFragments = 64      // frames of one field block
	paidByData    = 2       // frames of flow control, for each of DATA that is sent and each so many bytes of it:
	paying        = 1 << 10 // who reads in small pieces tells of each; it pays for no less where a window cut it short
)

// allowance counts what is spent of one.
type allowance struct {
	spent int
	since time.Time // up to when what was gained is counted
}

// spend tells whether there was something left.
func (a *allowance) spend(most int, every time.Duration, now time.Time) bool {
	if gained := now.Sub(a.since) / every; int64(gained) >= int64(a.spent) {
		a.spent, a.since = 0, now
	} else {
		a.spent -= int(gained)
		a.since = a.since.Add(gained * every)
	}
	a.spent++
	return a.spent <= most
}

func (a *allowance) gain(n int) { a.spent = max(a.spent-n, 0) }

// spend is for a frame that carries nothing.
func (c *Conn) spend(what string) *ConnError {
	if !c.control.spend(mostControl, controlEvery, time.Now()) {
		return calm(what)
	}
	return nil
}

// strike is for a stream that ends before its time: by the other side (rapid
// reset), or by this one for what that did (MadeYouReset).
func (c *Conn) strike() *ConnError {
	if !c.resets.spend(mostResets, resetEvery, time.Now()) {
		return calm("streams that end before their time")
	}
	return nil
}
