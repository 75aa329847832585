package stats

import (
	"math"
	"sync"
	"testing"
	"time"
)

func TestReadersSeeConsistentTotals(t *testing.T) {
	const writers, each = 4, 5000
	var c Counters
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		reading.Go(func() {
			var last Snapshot
			for {
				s := c.Snapshot()
				checkProgress(t, last, s, writers)
				last = s
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				c.Begin()
				c.End(Record{
					Status:   200 + 100*((i+w)%4),
					Duration: time.Duration(i%100+1) * 10 * time.Millisecond,
					BytesIn:  1, BytesOut: 2,
				})
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()

	s := c.Snapshot()
	if s.Success() != writers*each/2 || s.Error() != writers*each/2 || s.InFlight != 0 {
		t.Errorf("success %d, error %d, in flight %d, want %d, %[4]d, 0", s.Success(), s.Error(), s.InFlight, writers*each/2)
	}
	if s.BytesIn != writers*each || s.BytesOut != 2*writers*each {
		t.Errorf("bytes %d, %d, want %d, %d", s.BytesIn, s.BytesOut, writers*each, 2*writers*each)
	}
	if got := s.Average(); math.Abs(got-505) > 0.001 {
		t.Errorf("average = %v ms, want 505", got)
	}
}

func checkProgress(t *testing.T, last, s Snapshot, writers int64) {
	report := s.Report()
	if n := s.all().Count(); report.Requests.Success+report.Requests.Error != n {
		t.Errorf("%+v do not make %d latencies", report.Requests, n)
	}
	if s.Success() < last.Success() || s.Error() < last.Error() || s.BytesIn < last.BytesIn || s.SumMicros < last.SumMicros {
		t.Errorf("totals went back: %+v, then %+v", last.Report(), report)
	}
	if s.InFlight < 0 || s.InFlight > writers {
		t.Errorf("in flight = %d, want 0 to %d", s.InFlight, writers)
	}
	if s.SumMicros < 10_000*(s.Success()+s.Error()) {
		t.Errorf("the sum %d µs misses some of %d latencies of 10 ms and more", s.SumMicros, s.Success()+s.Error())
	}
	l := report.Latency
	if l.P95 > l.P99 || l.Average > 1016 {
		t.Errorf("impossible latencies: %+v", l)
	}
}

// Counters are folded while the last requests of the endpoint still end.
func TestFoldLosesNothing(t *testing.T) {
	const writers, each = 3, 5000
	var backend, gone Counters
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for i := range each {
				gone.Begin()
				gone.End(Record{Status: 200, Duration: time.Duration(i+1) * time.Microsecond, BytesOut: 1})
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	for folding := true; folding; {
		select {
		case <-done:
			folding = false
		default:
		}
		backend.Fold(&gone)
	}
	s := backend.Snapshot()
	if s.Success() != writers*each || s.BytesOut != writers*each {
		t.Errorf("success %d, bytes %d, want %d of both", s.Success(), s.BytesOut, writers*each)
	}
	if want := uint64(writers * each * (each + 1) / 2); s.SumMicros != want {
		t.Errorf("sum = %d µs, want %d", s.SumMicros, want)
	}
}
