package stats

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Bucket says how many latencies fell into one histogram bucket. It is named by
// its lower bound rather than its number, so that saved snapshots stay readable
// if the layout of the buckets changes.
type Bucket struct {
	Low   time.Duration `json:"low_ns"`
	Count uint64        `json:"count"`
}

// Latencies is a histogram's content: its non-empty buckets, lowest first.
type Latencies []Bucket

// Count is the number of latencies.
func (l Latencies) Count() uint64 {
	var n uint64
	for _, b := range l {
		n += b.Count
	}
	return n
}

// merge sums any number of histograms into a new one. It shares no memory with
// its arguments, which snapshots may have in common.
func merge(parts ...Latencies) Latencies {
	all := slices.Concat(parts...)
	slices.SortFunc(all, func(a, b Bucket) int { return cmp.Compare(a.Low, b.Low) })
	merged := all[:0]
	for _, b := range all {
		if last := len(merged) - 1; last >= 0 && merged[last].Low == b.Low {
			merged[last].Count += b.Count
		} else {
			merged = append(merged, b)
		}
	}
	return merged
}

// percentile is the middle of the bucket that holds the value of rank
// ⌈p/100 · n⌉ (the nearest-rank definition). The receiver must be in order.
func (l Latencies) percentile(p float64) time.Duration {
	n := l.Count()
	if n == 0 {
		return 0
	}
	// p·n/100, not p/100·n: the quotient of the latter is rounded, and its
	// error would lift exact ranks to the next one.
	rank := uint64(math.Ceil(min(max(p, 0), 100) * float64(n) / 100))
	rank = min(max(rank, 1), n)
	var seen uint64
	for _, b := range l {
		if seen += b.Count; seen >= rank {
			low, high := bucketBounds(bucketIndex(b.Low))
			return low + (high-low)/2
		}
	}
	return 0
}

// ceiling is above every latency in l, which must be in order.
func (l Latencies) ceiling() time.Duration {
	if len(l) == 0 {
		return 0
	}
	_, high := bucketBounds(bucketIndex(l[len(l)-1].Low))
	return high
}
