package load

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Each bucket begins where the one before it ends.
func TestBucketsAreSeamless(t *testing.T) {
	for i := range (octaves + 1) * steps {
		end := bucketEnd(i)
		if got := bucket(end); got != i {
			t.Fatalf("bucket %d ends at %d, which is in bucket %d", i, end, got)
		}
		if i < (octaves+1)*steps-1 {
			if got := bucket(end + 1); got != i+1 {
				t.Fatalf("%d is in bucket %d, want %d", end+1, got, i+1)
			}
		}
	}
}

func TestQuantile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	var exact []time.Duration
	for range 10_000 {
		d := time.Duration(random.ExpFloat64() * float64(time.Millisecond))
		h.Add(d)
		exact = append(exact, d)
	}
	slices.Sort(exact)
	for _, q := range []float64{0, 0.5, 0.99, 1} {
		want := exact[max(int(q*10_000)-1, 0)]
		if got := h.Quantile(q); got < want || float64(got) > float64(want)*1.01+1 {
			t.Errorf("quantile %g: %s, want %s or up to 1 %% more", q, got, want)
		}
	}
}

func TestQuantileAtTheEdges(t *testing.T) {
	var h Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("empty: %s", got)
	}
	h.Add(-time.Second)
	if got := h.Quantile(1); got != 0 {
		t.Errorf("negative: %s, want 0", got)
	}
	h.Add(24 * time.Hour)
	if got := h.Quantile(1); got < 15*time.Minute {
		t.Errorf("beyond all buckets: %s, want the last one", got)
	}
	h.Reset()
	if h.Count() != 0 || h.Quantile(1) != 0 {
		t.Error("something is left after Reset")
	}
}
