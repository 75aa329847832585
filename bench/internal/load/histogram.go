package load

import (
	"math/bits"
	"time"
)

const (
	stepBits = 7 // 128 steps for each doubling: an error below 0.8 %
	steps    = 1 << stepBits
	octaves  = 40 - stepBits // up to 2^40 ns, some 18 minutes
)

// Histogram counts durations in log-linear buckets. Its zero value is empty.
type Histogram struct {
	counts [(octaves + 1) * steps]uint64
	total  uint64
}

// Add counts one duration.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.total }

// Reset forgets everything.
func (h *Histogram) Reset() { *h = Histogram{} }

// Quantile is the least duration that at least the share q of all durations do
// not exceed, rounded up to a bucket's end; 0 where there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := uint64(q * float64(h.total))
	if float64(rank) < q*float64(h.total) || rank == 0 {
		rank++
	}
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			return bucketEnd(i)
		}
	}
	return bucketEnd(len(h.counts) - 1)
}

// bucket places a duration: values below 2*steps have a bucket each, and every
// doubling above has as many buckets as steps.
func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < steps {
		return int(v)
	}
	octave := bits.Len64(v) - stepBits // 1 for the first doubling above the linear part
	if octave > octaves {
		return (octaves+1)*steps - 1
	}
	return octave*steps + int(v>>(octave-1)) - steps
}

// bucketEnd is the greatest duration that bucket i holds.
func bucketEnd(i int) time.Duration {
	octave, step := i/steps, i%steps
	if octave == 0 {
		return time.Duration(step)
	}
	return time.Duration((uint64(step)+steps+1)<<(octave-1) - 1)
}
