// Package report holds what a run of the bench measured, and shows it: as
// tables for a terminal, as Markdown for docs/performance.md, and as JSON.
package report

import (
	"slices"
	"time"
)

// Run is everything that one run of the bench found.
type Run struct {
	Time      time.Time
	Command   string
	CPU       string // model
	CPUs      string // which does what
	Kernel    string
	Go        string
	Peers     []Peer
	Rounds    int
	Seconds   float64 // of each measurement
	Ceiling   float64 `json:",omitempty"` // requests per second of load and origin with no gateway between
	Notes     []string
	Scenarios []Scenario
}

// Peer is one gateway that took part.
type Peer struct {
	Name    string
	Version string
	// Reference says that rgate is held against it, unless another one is
	// cheaper.
	Reference bool
	// Aside says that it is shown as a bound, not as a rival.
	Aside bool `json:",omitempty"`
	// Held says that it is to stay below the bars of the scenarios.
	Held bool `json:",omitempty"`
}

// Kind says which figures a scenario is about.
type Kind string

// The kinds of scenario.
const (
	Requests   Kind = "requests"   // as many requests as the gateway can take
	Rate       Kind = "rate"       // a constant number of requests per second
	Bulk       Kind = "bulk"       // large bodies
	Handshakes Kind = "handshakes" // as many connections, of one request each
	Streams    Kind = "streams"    // many requests at once on one connection, by a load that tells no latencies
	Idle       Kind = "idle"       // connections that do nothing
)

// Scenario is one kind of traffic.
type Scenario struct {
	Name    string
	Title   string
	Kind    Kind
	Bytes   int     // of the bodies of one request and its answer
	Bar     float64 `json:",omitempty"` // the ratio to the peer that is aimed at; 0 for none
	Results []Result
}

// Result is what one peer did in one scenario.
type Result struct {
	Peer   string
	Rounds []Round
	Failed string `json:",omitempty"` // why there are no figures, or why not to trust them
}

// Round is one measurement.
type Round struct {
	Requests   uint64
	Errors     uint64        `json:",omitempty"`
	FirstError string        `json:",omitempty"`
	Reconnects uint64        `json:",omitempty"`
	Elapsed    time.Duration // nanoseconds, as are all of these
	CPU        time.Duration
	P50, P99   time.Duration
	PeakRSS    int64 // bytes
	Grown      int64 `json:",omitempty"` // bytes that idle connections added to the resident memory
}

// Metric is one figure of a round.
type Metric func(Round) float64

// PerSecond is how many requests were answered in a second.
func PerSecond(r Round) float64 { return perhaps(float64(r.Requests), r.Elapsed.Seconds()) }

// P50 is the median latency, in seconds.
func P50(r Round) float64 { return r.P50.Seconds() }

// P99 is the latency that one request in a hundred exceeded, in seconds.
func P99(r Round) float64 { return r.P99.Seconds() }

// CPUPerRequest is the processor time of one request, in seconds.
func CPUPerRequest(r Round) float64 { return perhaps(r.CPU.Seconds(), float64(r.Requests)) }

// Busy is the share of one processor that the gateway used.
func Busy(r Round) float64 { return perhaps(r.CPU.Seconds(), r.Elapsed.Seconds()) }

// PeakRSS is the most memory that was resident, in bytes.
func PeakRSS(r Round) float64 { return float64(r.PeakRSS) }

// Grown is how much memory idle connections took, in bytes.
func Grown(r Round) float64 { return float64(r.Grown) }

// PerGB makes a metric of one request into one of 10^9 bytes of bodies.
func (s *Scenario) PerGB(m Metric) Metric {
	return func(r Round) float64 { return m(r) * perhaps(1e9, float64(s.Bytes)) }
}

// MBPerSecond is how many megabytes of bodies passed in a second.
func (s *Scenario) MBPerSecond(r Round) float64 { return PerSecond(r) * float64(s.Bytes) / 1e6 }

// Median of a metric over the rounds; 0 where there are none.
func (r *Result) Median(m Metric) float64 {
	values := make([]float64, len(r.Rounds))
	for i, round := range r.Rounds {
		values[i] = m(round)
	}
	return median(values)
}

// Ratio is the median, over the rounds, of a metric as a ratio to that of
// another peer in the same round: what disturbs a shared machine for a while
// disturbs both. It is 0 where there is nothing to compare.
func (r *Result) Ratio(m Metric, to *Result) float64 {
	if to == nil {
		return 0
	}
	var ratios []float64
	for i := range min(len(r.Rounds), len(to.Rounds)) {
		if ratio := perhaps(m(r.Rounds[i]), m(to.Rounds[i])); ratio > 0 {
			ratios = append(ratios, ratio)
		}
	}
	return median(ratios)
}

// Errors is how many answers were wrong in all rounds, and the first of them.
func (r *Result) Errors() (n uint64, first string) {
	for _, round := range r.Rounds {
		if n += round.Errors; first == "" {
			first = round.FirstError
		}
	}
	return n, first
}

// Reconnects is how many connections the peer closed, per request.
func (r *Result) Reconnects() float64 {
	var closed, requests uint64
	for _, round := range r.Rounds {
		closed += round.Reconnects
		requests += round.Requests
	}
	return perhaps(float64(closed), float64(requests))
}

// Result of a peer; nil if it has none.
func (s *Scenario) Result(peer string) *Result {
	for i := range s.Results {
		if s.Results[i].Peer == peer {
			return &s.Results[i]
		}
	}
	return nil
}

// References are the results that rgate is held against, in the peers' order.
func (s *Scenario) References(peers []Peer) []*Result {
	var list []*Result
	for _, p := range peers {
		if r := s.Result(p.Name); p.Reference && r != nil && !r.empty() {
			list = append(list, r)
		}
	}
	return list
}

// ThePeer is the reference that was cheaper in this scenario: in processor
// time, or in memory where connections idle. It is nil where none took part.
func (s *Scenario) ThePeer(peers []Peer) *Result {
	cost := func(r *Result) float64 {
		if s.Kind == Idle {
			return r.Median(Grown)
		}
		return r.Median(CPUPerRequest)
	}
	list := s.References(peers)
	if len(list) == 0 {
		return nil
	}
	return slices.MinFunc(list, func(a, b *Result) int {
		switch {
		case cost(a) < cost(b):
			return -1
		case cost(a) > cost(b):
			return 1
		}
		return 0
	})
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

// perhaps divides, and makes 0 of what cannot be divided.
func perhaps(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
