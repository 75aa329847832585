package names

import (
	"math/rand/v2"
	"time"
)

// timing is how long what takes. Tests shorten it.
type timing struct {
	patience time.Duration // a look-up that has no answer by then has failed
	hold     time.Duration // a view waits this long for the names that are new
	again    time.Duration // an answer is asked for again after this
	backoff  time.Duration // and a failed look-up after this, which then doubles
	ceiling  time.Duration // up to this, where the last addresses are kept
	dial     time.Duration // an address that has not accepted by then does not
	absences int           // a name that had addresses is gone once so many answers in a row say so
	atOnce   int           // look-ups and dials that run at once
}

func usualTiming() timing {
	return timing{
		patience: 5 * time.Second, hold: 1500 * time.Millisecond,
		again: 5 * time.Second, backoff: time.Second, ceiling: 30 * time.Second,
		dial: time.Second, absences: 3, atOnce: 32,
	}
}

// after is the wait after the nth look-up in a row that brought nothing. One
// without any address is asked for more often: requests fail meanwhile.
func (t timing) after(n int, known bool) time.Duration {
	ceiling := t.again
	if known {
		ceiling = t.ceiling
	}
	if n < 10 {
		ceiling = min(ceiling, t.backoff<<(n-1))
	}
	return spread(ceiling)
}

// spread takes up to a fifth off d, so that many names are not asked for in step.
func spread(d time.Duration) time.Duration { return d - rand.N(d/5+1) }
