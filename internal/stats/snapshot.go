package stats

import (
	"math"
	"time"
)

// Snapshot is what Counters held at one moment, as plain data: it can be added
// up, saved as JSON and restored.
type Snapshot struct {
	InFlight int64 `json:"in_flight"`
	// Informational counts exchanges that ended with a status below 200, which
	// are upgraded connections. They have no latency.
	Informational uint64 `json:"informational"`
	BytesIn       uint64 `json:"bytes_in"`
	BytesOut      uint64 `json:"bytes_out"`
	Retries       uint64 `json:"retries"`
	// Truncated counts answers that an endpoint broke off after their head.
	// They are counted by their status too.
	Truncated uint64 `json:"truncated"`
	// SumMicros is the sum of all latencies. In nanoseconds, ten thousand
	// hour-long streams at a time would overflow it within weeks.
	SumMicros uint64 `json:"sum_us"`
	// Latencies are the histograms of the classes 2xx, 3xx, 4xx and 5xx.
	Latencies [classes]Latencies `json:"latencies"`
}

// Success is the number of exchanges with a status from 200 to 399.
func (s Snapshot) Success() uint64 {
	return s.Latencies[class2xx].Count() + s.Latencies[class3xx].Count()
}

// Error is the number of exchanges with a status above 399.
func (s Snapshot) Error() uint64 {
	return s.Latencies[class4xx].Count() + s.Latencies[class5xx].Count()
}

// Classes is the number of exchanges by status class.
func (s Snapshot) Classes() StatusClasses {
	return StatusClasses{
		Informational: s.Informational,
		Success:       s.Latencies[class2xx].Count(),
		Redirection:   s.Latencies[class3xx].Count(),
		ClientError:   s.Latencies[class4xx].Count(),
		ServerError:   s.Latencies[class5xx].Count(),
	}
}

// Add adds another snapshot's numbers to s; o is left as it is.
func (s *Snapshot) Add(o Snapshot) {
	s.InFlight += o.InFlight
	s.Informational += o.Informational
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.Retries += o.Retries
	s.Truncated += o.Truncated
	s.SumMicros += o.SumMicros
	for class := range s.Latencies {
		s.Latencies[class] = merge(s.Latencies[class], o.Latencies[class])
	}
}

// Average is the mean latency in milliseconds, to three decimals; 0 when
// nothing was counted.
func (s Snapshot) Average() float64 { return s.average(s.all()) }

// Percentile is the latency that p percent of the exchanges did not exceed, in
// milliseconds to three decimals, and within 1 % of the exact one; 0 when
// nothing was counted.
func (s Snapshot) Percentile(p float64) float64 {
	return milliseconds(s.all().percentile(p))
}

// all is the histogram over all classes.
func (s Snapshot) all() Latencies { return merge(s.Latencies[:]...) }

func (s Snapshot) average(all Latencies) float64 {
	n := all.Count()
	if n == 0 {
		return 0
	}
	mean := round(float64(s.SumMicros) / float64(n) / 1000)
	// The sum may already hold latencies whose bucket the snapshot came too
	// early to see; of few requests that must not make an absurd average.
	return min(mean, milliseconds(all.ceiling()))
}

func milliseconds(d time.Duration) float64 {
	return round(float64(d) / float64(time.Millisecond))
}

// round keeps three decimals.
func round(ms float64) float64 { return math.Round(ms*1000) / 1000 }
