package standard

import (
	"sync/atomic"
	"time"

	"rgate/internal/config"
	"rgate/internal/upstream"
)

// owed is what a client owes for the connection to get on.
type owed int32

const (
	nothing owed = iota
	request      // the first byte of one
	head         // the rest of a request's head
	body         // more of a request's body
	reading      // that it takes more of its answer
	leaving      // its end
)

// debt is what a client owes, written by who serves it and read by who looks for
// room.
type debt struct {
	what   atomic.Int32
	since  atomic.Int64 // by upstream.Clock, as expiry
	expiry atomic.Int64 // when it will be closed for it
}

// owe says that what is owed from now on, or the connection is closed at until.
func (d *debt) owe(what owed, now, until time.Time) {
	d.since.Store(upstream.Clock(now))
	d.expiry.Store(upstream.Clock(until))
	d.what.Store(int32(what))
}

func (d *debt) pay() { d.what.Store(int32(nothing)) }

func (d *debt) paid() bool { return owed(d.what.Load()) == nothing }

func (d *debt) ofRequest() bool {
	what := owed(d.what.Load())
	return what == request || what == head
}

// What a client may do without being dispensable.
const (
	grace    = time.Second     // take a while for its head, or its upload to begin
	freeRate = 16 << 10        // bytes of its upload, in each such while
	pause    = 5 * time.Second // take nothing of its answer
)

// due is when the connection would be closed if it went on as it does; zero
// where it gets on. Heavy clients have no grace.
func (d *debt) due(now time.Time, cfg *config.Config, heavy bool) time.Time {
	at := upstream.Clock(now)
	lasts, expiry := time.Duration(at-d.since.Load()), now.Add(time.Duration(d.expiry.Load()-at))
	young := !heavy && lasts < grace
	switch owed(d.what.Load()) {
	case request:
		return expiry
	case head, leaving:
		if young {
			return now.Add(cfg.Timeouts.Idle) // as if it had just been answered
		}
		return expiry
	case body:
		if !young {
			return expiry
		}
	case reading:
		if lasts >= pause || heavy && lasts >= grace {
			return expiry
		}
	}
	return time.Time{}
}
