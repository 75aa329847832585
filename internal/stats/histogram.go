package stats

import (
	"sync/atomic"
	"time"
)

// octave holds the buckets of one power of two.
type octave [subBuckets]atomic.Uint64

// histogram counts latencies. Octaves are made when the first value falls into
// them: latencies of one route rarely span more than a few, and ten thousand
// idle routes must cost next to nothing.
type histogram struct {
	octaves [octaves]atomic.Pointer[octave]
}

// add counts n latencies in bucket i.
func (h *histogram) add(i int, n uint64) {
	ensure(&h.octaves[i>>subBits])[i&(subBuckets-1)].Add(n)
}

// latencies lists the buckets that are not empty, in order.
func (h *histogram) latencies() Latencies {
	return h.collect((*atomic.Uint64).Load)
}

// drain is latencies, and leaves the buckets empty.
func (h *histogram) drain() Latencies {
	return h.collect(func(v *atomic.Uint64) uint64 { return v.Swap(0) })
}

func (h *histogram) collect(read func(*atomic.Uint64) uint64) Latencies {
	var all Latencies
	for o := range h.octaves {
		oct := h.octaves[o].Load()
		if oct == nil {
			continue
		}
		for sub := range oct {
			if n := read(&oct[sub]); n > 0 {
				low, _ := bucketBounds(o<<subBits + sub)
				all = append(all, Bucket{Low: low, Count: n})
			}
		}
	}
	return all
}

// ensure returns what p points to, and makes it first where there is nothing.
// Of several that make it at once one wins, and all use the winner's.
func ensure[T any](p *atomic.Pointer[T]) *T {
	if v := p.Load(); v != nil {
		return v
	}
	p.CompareAndSwap(nil, new(T))
	return p.Load()
}

// micros rounds to whole microseconds, after the clamp that the buckets apply
// at the upper end, so that an average never lies above every bucket.
func micros(d time.Duration) uint64 {
	return uint64(min(max(d, 0), maxLatency).Round(time.Microsecond) / time.Microsecond)
}
