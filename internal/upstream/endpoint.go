package upstream

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/link"
	"rgate/internal/stats"
)

// Identity is what makes an endpoint the same one in the next table: a
// container that restarted, or got another address, is a new endpoint.
type Identity struct {
	Backend string
	ID      string // container id, or the name whose address it is; "" for a static endpoint
	Address string // ip:port
	Started int64  // Unix nanoseconds of the last start; 0 where not known
}

// Endpoint is one address that takes requests for a backend. Its exported
// fields never change once it can be picked.
type Endpoint struct {
	Identity
	Name   string     // the container's name, or the address of a static endpoint
	Weight int64      // at least 1
	Link   *link.Link // how it is spoken to; nil for HTTP/1.1 in the clear
	Stats  *stats.Counters
	hash   uint64

	inFlight atomic.Int64
	draining atomic.Bool // out of the table: takes nothing any more
	byHand   atomic.Bool // drained by an operator, until undrained
	health   atomic.Int32
	since    atomic.Int64 // by Clock, since when it takes requests
	ejection ejection
	lifetime lifetime

	idleOnce sync.Once
	idle     chan struct{} // closed once draining and nothing is in flight
}

// The states of active health checking.
const (
	healthUnchecked int32 = iota // no health section: nothing to wait for
	healthUnknown                // probes have not passed yet
	healthGood
	healthBad
)

// New makes an endpoint that takes requests from now on; with checked, only
// once a health probe has said so.
func New(id Identity, name string, weight int, checked bool) *Endpoint {
	e := &Endpoint{Identity: id, Name: name, Weight: int64(max(weight, 1)), Stats: &stats.Counters{}, idle: make(chan struct{})}
	e.hash = hashString(stableName(name, id.Address))
	e.since.Store(Clock(time.Now()))
	if checked {
		e.health.Store(healthUnknown)
	}
	return e
}

// stableName is what keyed picking hashes: a container's name stays the same
// when it is recreated, its address does not.
func stableName(name, address string) string {
	if name == "" {
		return address
	}
	return name
}

// Host is what e itself is called where certificates are concerned: the name
// that it was found by, else its IP address.
func (e *Endpoint) Host() string {
	if host, _, err := net.SplitHostPort(e.ID); err == nil {
		return host
	}
	host, _, _ := net.SplitHostPort(e.Address)
	return host
}

// Succeed takes over from old, the same address under changed settings: what
// an operator drained stays drained, and what was well need not prove it again.
func (e *Endpoint) Succeed(old *Endpoint) {
	e.byHand.Store(old.byHand.Load())
	if e.Checked() && old.health.Load()&^2 == 0 {
		e.MarkHealth(true)
	}
	e.since.Store(old.since.Load())
	e.ejection.succeed(&old.ejection)
	e.lifetime.succeed(&old.lifetime)
}

// Acquire claims e for one attempt. It counts first and looks at the drain
// mark second, so a drain that saw no request in flight cannot miss one.
func (e *Endpoint) Acquire() bool {
	e.inFlight.Add(1)
	if e.draining.Load() || e.byHand.Load() {
		e.Release()
		return false
	}
	return true
}

// Release ends what Acquire began.
func (e *Endpoint) Release() {
	if e.inFlight.Add(-1) == 0 && e.draining.Load() {
		e.idleOnce.Do(func() { close(e.idle) })
	}
}

// InFlight is the number of attempts that hold e now.
func (e *Endpoint) InFlight() int64 { return e.inFlight.Load() }

// Drain takes e out of use for good. The channel is closed once nothing is in
// flight on it.
func (e *Endpoint) Drain() <-chan struct{} {
	e.draining.Store(true)
	if e.inFlight.Load() == 0 {
		e.idleOnce.Do(func() { close(e.idle) })
	}
	return e.idle
}

// Draining tells whether e is out of use for good.
func (e *Endpoint) Draining() bool { return e.draining.Load() }

// Hold takes e out of use until Unhold: an operator's drain.
func (e *Endpoint) Hold() { e.byHand.Store(true) }

// Unhold ends a Hold.
func (e *Endpoint) Unhold() {
	e.byHand.Store(false)
	e.since.Store(Clock(time.Now()))
}

// Held tells whether an operator drained e.
func (e *Endpoint) Held() bool { return e.byHand.Load() }

// MarkHealth takes the verdict of active probing.
func (e *Endpoint) MarkHealth(good bool) {
	next := healthBad
	if good {
		next = healthGood
	}
	if was := e.health.Swap(next); good && was != healthGood {
		e.since.Store(Clock(time.Now()))
		e.ejection.clear()
	}
}

// usable tells whether e may take a new request at now.
func (e *Endpoint) usable(now int64) bool { return e.well() && e.ejection.open(now) }

// well tells whether nothing but an ejection can keep requests from e.
func (e *Endpoint) well() bool {
	return !e.draining.Load() && !e.byHand.Load() && e.health.Load()&^2 == 0
}

// State is what e is doing now, for people: "ready", or why it takes nothing.
func (e *Endpoint) State() string {
	now := Clock(time.Now())
	switch {
	case e.draining.Load():
		return "draining"
	case e.byHand.Load():
		return "drained by hand"
	case e.health.Load() == healthUnknown:
		return "waiting for health probes"
	case e.health.Load() == healthBad:
		return "health probes fail"
	case e.ejection.active(now):
		left := time.Duration(e.ejection.until.Load() - now).Round(100 * time.Millisecond)
		return fmt.Sprintf("ejected for %v: %s", left, e.ejection.reason())
	case !e.ejection.open(now):
		return "tried by one request after " + e.ejection.reason()
	}
	return "ready"
}

// Checked tells whether active probes decide over e.
func (e *Endpoint) Checked() bool { return e.health.Load() != healthUnchecked }

// Well tells whether active probes, where there are any, say that e is well.
func (e *Endpoint) Well() bool { return e.health.Load()&^2 == 0 }

// Judged tells whether e waits for no first verdict of active probes.
func (e *Endpoint) Judged() bool { return e.health.Load() != healthUnknown }
