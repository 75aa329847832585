package stats

import (
	"sync/atomic"
	"time"
)

// The status classes that have a latency.
const (
	class2xx = iota
	class3xx
	class4xx
	class5xx
	classes
)

// Record is what one finished exchange, or one attempt, adds to its counters.
type Record struct {
	// Status is the status code that was sent: 200–399 is a success, above
	// 399 an error. Below 200 (101 for upgraded connections) is neither, and
	// Duration is then not counted, as the life of a connection is no latency.
	Status   int
	Duration time.Duration
	// BytesIn and BytesOut are the body bytes from and to the client. A
	// negative number (an unknown length) counts as none.
	BytesIn, BytesOut int64
	// Truncated says that the answer broke off after its head, which Status
	// cannot tell.
	Truncated bool
}

// Counters count the traffic of one route, backend or endpoint. The zero value
// is ready, and any number of goroutines may use all methods at once. Counters
// must not be copied.
type Counters struct {
	inFlight      atomic.Int64
	bytesIn       atomic.Uint64
	bytesOut      atomic.Uint64
	retries       atomic.Uint64
	truncated     atomic.Uint64
	informational atomic.Uint64
	sumMicros     atomic.Uint64
	byClass       [classes]atomic.Pointer[histogram]
}

// Begin says that an exchange has started. Each Begin is followed by one End.
func (c *Counters) Begin() { c.inFlight.Add(1) }

// End says how an exchange ended.
func (c *Counters) End(r Record) {
	if r.BytesIn > 0 {
		c.bytesIn.Add(uint64(r.BytesIn))
	}
	if r.BytesOut > 0 {
		c.bytesOut.Add(uint64(r.BytesOut))
	}
	if r.Truncated {
		c.truncated.Add(1)
	}
	if r.Status < 200 {
		c.informational.Add(1)
	} else {
		// The sum first and the bucket last: Snapshot reads them the other way
		// round, so that its sum covers every latency in its buckets.
		c.sumMicros.Add(micros(r.Duration))
		ensure(&c.byClass[classOf(r.Status)]).add(bucketIndex(r.Duration), 1)
	}
	// Last: seen from outside an exchange is in flight, or counted, or for a
	// moment both, but never lost.
	c.inFlight.Add(-1)
}

// Retry counts an attempt beyond an exchange's first.
func (c *Counters) Retry() { c.retries.Add(1) }

// InFlight is the number of exchanges that have begun and not ended. It is
// cheap enough for a picker.
func (c *Counters) InFlight() int64 { return c.inFlight.Load() }

// Snapshot reads everything. It may run at any time; see the package comment
// for what a reader can rely on.
func (c *Counters) Snapshot() Snapshot {
	s := Snapshot{InFlight: c.inFlight.Load()}
	for class := range c.byClass {
		if h := c.byClass[class].Load(); h != nil {
			s.Latencies[class] = h.latencies()
		}
	}
	s.SumMicros = c.sumMicros.Load()
	s.Informational = c.informational.Load()
	s.BytesIn, s.BytesOut = c.bytesIn.Load(), c.bytesOut.Load()
	s.Retries, s.Truncated = c.retries.Load(), c.truncated.Load()
	return s
}

// Restore adds the totals of s, for example those of an earlier run. What was
// in flight then is not now, and is left out.
func (c *Counters) Restore(s Snapshot) {
	c.bytesIn.Add(s.BytesIn)
	c.bytesOut.Add(s.BytesOut)
	c.retries.Add(s.Retries)
	c.truncated.Add(s.Truncated)
	c.informational.Add(s.Informational)
	c.sumMicros.Add(s.SumMicros)
	for class, latencies := range s.Latencies {
		for _, b := range latencies {
			ensure(&c.byClass[class]).add(bucketIndex(b.Low), b.Count)
		}
	}
}

// Fold moves the totals of from, an endpoint or route that is gone, into c.
// from keeps what is in flight, as those exchanges end there; once they have,
// another Fold brings the rest, and nothing is counted twice or lost. Whoever
// adds up c and from while a Fold runs may see a total in neither, so readers
// of both must be kept apart from it; readers of c alone need nothing.
func (c *Counters) Fold(from *Counters) {
	var s Snapshot
	for class := range from.byClass {
		if h := from.byClass[class].Load(); h != nil {
			s.Latencies[class] = h.drain()
		}
	}
	s.SumMicros = from.sumMicros.Swap(0)
	s.Informational = from.informational.Swap(0)
	s.BytesIn, s.BytesOut = from.bytesIn.Swap(0), from.bytesOut.Swap(0)
	s.Retries, s.Truncated = from.retries.Swap(0), from.truncated.Swap(0)
	c.Restore(s)
}

// classOf is the class of a status from 200. Codes from 600 exist only by
// mistake; they are above 399, so they count as errors.
func classOf(status int) int {
	return min(status/100-2, class5xx)
}
