package proxy

import (
	"time"

	"rgate/internal/upstream"
)

// The time for the heads of responses is one budget per exchange,
// timeouts.response_header over all attempts together: a client must not wait
// for as many times as there are retries. What connections take is apart from
// it: timeouts.connect bounds each, and as much time as there is for heads what
// of them is spent in vain.

// Asked says that the attempt under way has nothing else to wait for than the
// endpoint: what went before, such as an upload, does not count. Without it the
// time counts from the attempt's beginning.
func (x *Exchange) Asked(now time.Time) { x.asked = now }

// HeadWait is how long the attempt under way may wait for the head of its
// response, from when it is the endpoint's turn: an engine bounds each attempt
// by it and says TimedOut to Next once it is over. It is above zero. Where a
// request that timed out may be sent again, each attempt that is left gets an
// equal share, or else the first would leave nothing to the others.
func (x *Exchange) HeadWait() time.Duration {
	if !x.Deadline.IsZero() && x.Streams() {
		return max(x.Deadline.Sub(x.asked), time.Millisecond) // which ends the call itself
	}
	left := x.patience()
	if b := x.target.Backend; b.RetryTimeouts && x.Repeatable() {
		left /= time.Duration(max(b.Retries+2-(x.attempts-x.refused), 1))
	}
	return max(left, time.Millisecond)
}

// patience is what is left for heads.
func (x *Exchange) patience() time.Duration {
	return x.Table.Config.Timeouts.ResponseHeader - x.waited
}

// wait takes what an attempt that ended so cost out of the budget.
func (x *Exchange) wait(o upstream.Outcome, now time.Time) {
	switch {
	case !unconnected(o):
		x.waited += max(now.Sub(x.asked), 0)
	case o == upstream.ConnectTimedOut:
		x.connecting += max(now.Sub(x.attempt), 0)
	}
}
