package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// distributions draw latencies of the kinds that gateways meet.
var distributions = map[string]func(*rand.Rand) time.Duration{
	"constant":    func(*rand.Rand) time.Duration { return 2 * time.Millisecond },
	"uniform":     func(r *rand.Rand) time.Duration { return time.Duration(r.Int64N(int64(time.Second))) },
	"exponential": func(r *rand.Rand) time.Duration { return time.Duration(r.ExpFloat64() * 5e6) },
	"lognormal":   func(r *rand.Rand) time.Duration { return time.Duration(math.Exp(r.NormFloat64()*2) * 1e6) },
	"pareto":      func(r *rand.Rand) time.Duration { return time.Duration(1e5 / (1 - r.Float64())) },
	"log-uniform": func(r *rand.Rand) time.Duration { return time.Duration(math.Exp(math.Log(2e3) + r.Float64()*22)) },
	"two peaks": func(r *rand.Rand) time.Duration {
		if r.IntN(100) < 96 {
			return 400*time.Microsecond + time.Duration(r.Int64N(1e5))
		}
		return 30*time.Second + time.Duration(r.Int64N(1e9))
	},
}

func TestPercentilesAreWithinOnePercent(t *testing.T) {
	for name, draw := range distributions {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 2, 19, 100, 1000, 50_000} {
				checkPercentiles(t, n, draw)
			}
		})
	}
}

func checkPercentiles(t *testing.T, n int, draw func(*rand.Rand) time.Duration) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(n)))
	statuses := []int{200, 200, 200, 302, 404, 503}
	var c Counters
	var sum float64
	exact := make([]time.Duration, n)
	for i := range exact {
		exact[i] = draw(r)
		sum += float64(exact[i]) / 1e6
		c.Begin()
		c.End(Record{Status: statuses[r.IntN(len(statuses))], Duration: exact[i]})
	}
	slices.Sort(exact)
	s := c.Snapshot()
	for _, p := range []float64{0, 1, 25, 50, 75, 90, 95, 99, 99.9, 100} {
		rank := max(int(math.Ceil(p*float64(n)/100)), 1)
		want := float64(max(exact[rank-1], minLatency)) / 1e6
		// Half a microsecond is lost to the three decimals.
		if got := s.Percentile(p); math.Abs(got-want) > 0.0079*want+0.0005 {
			t.Errorf("of %d: p%v = %v ms, exactly %v ms", n, p, got, want)
		}
	}
	if got, want := s.Average(), sum/float64(n); math.Abs(got-want) > 0.001 {
		t.Errorf("of %d: average = %v ms, exactly %v ms", n, got, want)
	}
}

// 0.55·100 is above 55 in floating point; the rank must be 55 all the same.
func TestPercentileTakesTheExactRank(t *testing.T) {
	var c Counters
	for i := range 100 {
		c.End(Record{Status: 200, Duration: time.Duration(i+1) * 100 * time.Millisecond})
	}
	s := c.Snapshot()
	for p := 1; p <= 100; p++ {
		want := float64(p) * 100
		if got := s.Percentile(float64(p)); math.Abs(got-want) > 0.0079*want {
			t.Errorf("p%d = %v ms, want about %v ms", p, got, want)
		}
	}
}

func TestNothingIsNaN(t *testing.T) {
	var c Counters
	for _, s := range []Snapshot{{}, c.Snapshot(), {SumMicros: 12}} {
		for _, p := range []float64{-1, 0, 95, 100, 200, math.NaN(), math.Inf(1)} {
			if got := s.Percentile(p); got != 0 {
				t.Errorf("p%v of nothing = %v, want 0", p, got)
			}
		}
		if got := s.Average(); got != 0 {
			t.Errorf("average of nothing = %v, want 0", got)
		}
	}
	c.End(Record{Status: 200, Duration: time.Second})
	for _, p := range []float64{-1, 0, 100, 200, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got := c.Snapshot().Percentile(p); math.Abs(got-1000) > 8 {
			t.Errorf("p%v of one second = %v ms", p, got)
		}
	}
}

func TestLatenciesBeyondTheRange(t *testing.T) {
	var c Counters
	c.End(Record{Status: 200, Duration: -time.Hour})
	c.End(Record{Status: 200, Duration: 0})
	if got := c.Snapshot().Average(); got != 0 {
		t.Errorf("average of a negative and no latency = %v, want 0", got)
	}
	if got := c.Snapshot().Percentile(100); got > 0.002 {
		t.Errorf("p100 of a negative and no latency = %v ms", got)
	}
	var long Counters
	long.End(Record{Status: 200, Duration: math.MaxInt64})
	fiveHours := float64(5 * time.Hour / time.Millisecond)
	if s := long.Snapshot(); s.Average() > fiveHours || s.Percentile(99) > fiveHours || s.Percentile(99) < fiveHours*0.9 {
		t.Errorf("latency of 292 years: average %v ms, p99 %v ms, want the last bucket", s.Average(), s.Percentile(99))
	}
}

// A reader that comes between the two writes of a request sees its latency in
// the sum and not in the buckets.
func TestAverageStaysBelowTheHighestBucket(t *testing.T) {
	var c Counters
	c.End(Record{Status: 200, Duration: time.Millisecond})
	c.sumMicros.Add(micros(time.Minute))
	if got := c.Snapshot().Average(); got < 1 || got > 1.016 {
		t.Errorf("average = %v ms, want that of the bucket of 1 ms", got)
	}
}
