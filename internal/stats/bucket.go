package stats

import (
	"math/bits"
	"time"
)

// Buckets are log-linear over nanoseconds: each octave [2^e, 2^(e+1)) is cut
// into 64 equal parts. A bucket is thus at most 1/64 of its lower bound wide,
// and its middle is within 1/128 = 0.79 % of every value in it. The layout runs
// from 2^10 ns (1.024 µs) to 2^44 ns (4.9 hours); values beyond count in the
// first or the last bucket.
const (
	subBits    = 6
	subBuckets = 1 << subBits
	minExp     = 10
	maxExp     = 44
	octaves    = maxExp - minExp
	buckets    = octaves * subBuckets
)

const (
	minLatency = time.Duration(1) << minExp
	maxLatency = time.Duration(1)<<maxExp - 1
)

// bucketIndex is the bucket that counts a latency of d.
func bucketIndex(d time.Duration) int {
	d = min(max(d, minLatency), maxLatency)
	exp := bits.Len64(uint64(d)) - 1
	sub := int(d>>(exp-subBits)) - subBuckets
	return (exp-minExp)<<subBits + sub
}

// bucketBounds are the lowest latency of bucket i and the lowest above it.
func bucketBounds(i int) (low, high time.Duration) {
	shift := i>>subBits + minExp - subBits
	sub := time.Duration(i&(subBuckets-1) + subBuckets)
	return sub << shift, (sub + 1) << shift
}
