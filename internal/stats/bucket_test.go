package stats

import (
	"math"
	"testing"
	"time"
)

func TestBucketsTileTheRange(t *testing.T) {
	next := minLatency
	for i := range buckets {
		low, high := bucketBounds(i)
		if low != next {
			t.Fatalf("bucket %d starts at %d, want %d", i, low, next)
		}
		if got := bucketIndex(low); got != i {
			t.Fatalf("bucketIndex(%d) = %d, want %d (its low)", low, got, i)
		}
		if got := bucketIndex(high - 1); got != i {
			t.Fatalf("bucketIndex(%d) = %d, want %d (its last)", high-1, got, i)
		}
		next = high
	}
	if next != maxLatency+1 {
		t.Errorf("the buckets end at %d, want %d", next, maxLatency+1)
	}
}

func TestBucketIndexClamps(t *testing.T) {
	for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, minLatency - 1} {
		if got := bucketIndex(d); got != 0 {
			t.Errorf("bucketIndex(%d) = %d, want 0", d, got)
		}
	}
	for _, d := range []time.Duration{maxLatency, maxLatency + 1, math.MaxInt64} {
		if got := bucketIndex(d); got != buckets-1 {
			t.Errorf("bucketIndex(%d) = %d, want %d", d, got, buckets-1)
		}
	}
}

func FuzzBucketIndex(f *testing.F) {
	for _, d := range []int64{-1, 0, 1, 1023, 1024, 1025, 2047, 2048, 1e6, 1e9, 1<<44 - 1, 1 << 44, math.MaxInt64} {
		f.Add(d)
	}
	f.Fuzz(func(t *testing.T, ns int64) {
		d := time.Duration(ns)
		i := bucketIndex(d)
		if i < 0 || i >= buckets {
			t.Fatalf("bucketIndex(%d) = %d, outside the histogram", d, i)
		}
		low, high := bucketBounds(i)
		clamped := min(max(d, minLatency), maxLatency)
		if clamped < low || clamped >= high {
			t.Fatalf("%d is in bucket %d, which covers [%d, %d)", d, i, low, high)
		}
		middle := low + (high-low)/2
		if off := math.Abs(float64(middle-clamped)) / float64(clamped); off > 1.0/128 {
			t.Fatalf("the middle of %d's bucket is %.2f %% off", d, 100*off)
		}
	})
}
