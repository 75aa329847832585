package stats

import (
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEndCountsByStatus(t *testing.T) {
	f := func(status int, want StatusClasses, success, failure uint64) {
		t.Helper()
		var c Counters
		c.Begin()
		c.End(Record{Status: status, Duration: time.Second, BytesIn: 3, BytesOut: 5})
		s := c.Snapshot()
		if diff := cmp.Diff(want, s.Classes()); diff != "" {
			t.Errorf("status %d (-want +got):\n%s", status, diff)
		}
		if s.Success() != success || s.Error() != failure {
			t.Errorf("status %d: success %d, error %d, want %d, %d", status, s.Success(), s.Error(), success, failure)
		}
		if n := s.all().Count(); n != success+failure {
			t.Errorf("status %d: %d latencies, want %d", status, n, success+failure)
		}
		if s.BytesIn != 3 || s.BytesOut != 5 || s.InFlight != 0 {
			t.Errorf("status %d: bytes %d, %d, in flight %d, want 3, 5, 0", status, s.BytesIn, s.BytesOut, s.InFlight)
		}
	}
	f(100, StatusClasses{Informational: 1}, 0, 0)
	f(101, StatusClasses{Informational: 1}, 0, 0)
	f(199, StatusClasses{Informational: 1}, 0, 0)
	f(200, StatusClasses{Success: 1}, 1, 0)
	f(299, StatusClasses{Success: 1}, 1, 0)
	f(300, StatusClasses{Redirection: 1}, 1, 0)
	f(399, StatusClasses{Redirection: 1}, 1, 0)
	f(400, StatusClasses{ClientError: 1}, 0, 1)
	f(499, StatusClasses{ClientError: 1}, 0, 1)
	f(500, StatusClasses{ServerError: 1}, 0, 1)
	f(599, StatusClasses{ServerError: 1}, 0, 1)
	f(999, StatusClasses{ServerError: 1}, 0, 1)
}

func TestUpgradeIsNoLatency(t *testing.T) {
	var c Counters
	c.End(Record{Status: 200, Duration: time.Millisecond})
	c.End(Record{Status: 101, Duration: time.Hour})
	if s := c.Snapshot(); s.Average() != 1 || s.Percentile(100) > 1.01 {
		t.Errorf("average %v, p100 %v, want those of the one answer of 1 ms", s.Average(), s.Percentile(100))
	}
}

func TestInFlightRetriesAndUnknownLengths(t *testing.T) {
	var c Counters
	c.Begin()
	c.Begin()
	c.Retry()
	c.End(Record{Status: 200, BytesIn: -1, BytesOut: -1})
	s := c.Snapshot()
	if s.InFlight != 1 || c.InFlight() != 1 {
		t.Errorf("in flight = %d, %d, want 1", s.InFlight, c.InFlight())
	}
	if s.Retries != 1 || s.BytesIn != 0 || s.BytesOut != 0 {
		t.Errorf("retries %d, bytes %d, %d, want 1, 0, 0", s.Retries, s.BytesIn, s.BytesOut)
	}
}

func TestFoldMovesTotalsAndLeavesInFlight(t *testing.T) {
	backend, gone := traffic(1), traffic(2)
	want := backend.Snapshot()
	want.Add(gone.Snapshot())
	gone.Begin()
	gone.Begin()

	backend.Fold(gone)
	if diff := cmp.Diff(want, backend.Snapshot()); diff != "" {
		t.Errorf("after Fold (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Snapshot{InFlight: 2}, gone.Snapshot()); diff != "" {
		t.Errorf("the folded counters keep only what is in flight (-want +got):\n%s", diff)
	}

	gone.End(Record{Status: 200, Duration: time.Second})
	backend.Fold(gone)
	backend.Fold(gone)
	backend.Fold(backend)
	snapshot := backend.Snapshot()
	if got, want := snapshot.Success(), want.Success()+1; got != want {
		t.Errorf("success after the late end = %d, want %d", got, want)
	}
	if n := gone.InFlight(); n != 1 {
		t.Errorf("in flight = %d, want 1", n)
	}
}

func TestAddLeavesItsArgumentAlone(t *testing.T) {
	a, b := traffic(1).Snapshot(), traffic(3).Snapshot()
	wantB, both := traffic(3).Snapshot(), traffic(1)
	both.Restore(b)
	sum := a
	sum.Add(b)
	sum.Add(Snapshot{})
	if diff := cmp.Diff(both.Snapshot(), sum); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantB, b); diff != "" {
		t.Errorf("Add changed its argument (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(traffic(1).Snapshot(), a); diff != "" {
		t.Errorf("Add changed a copy's histograms (-want +got):\n%s", diff)
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	c := traffic(1)
	record := Record{Status: 200, Duration: 3 * time.Millisecond, BytesIn: 10, BytesOut: 20}
	c.End(record)
	n := testing.AllocsPerRun(1000, func() {
		c.Begin()
		c.Retry()
		c.End(record)
	})
	if n != 0 {
		t.Errorf("a record allocates %v times, want 0", n)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const idle, used, worst = 1 << 10, 4 << 10, 80 << 10
	each := func(use func(*Counters)) uint64 {
		const n = 100
		all := make([]*Counters, n)
		before := heapInUse()
		for i := range all {
			all[i] = new(Counters)
			use(all[i])
		}
		after := heapInUse()
		runtime.KeepAlive(all)
		return (max(after, before) - before) / n
	}
	if got := each(func(*Counters) {}); got > idle {
		t.Errorf("idle counters take %d bytes, want %d at most", got, idle)
	}
	got := each(func(c *Counters) {
		for range 10_000 {
			c.End(Record{Status: 200, Duration: 3 * time.Millisecond})
			c.End(Record{Status: 404, Duration: time.Millisecond})
		}
	})
	if got > used {
		t.Errorf("counters of steady traffic take %d bytes, want %d at most", got, used)
	}
	got = each(func(c *Counters) {
		for i := range buckets {
			low, _ := bucketBounds(i)
			for status := 200; status < 600; status += 100 {
				c.End(Record{Status: status, Duration: low})
			}
		}
	})
	if got > worst {
		t.Errorf("counters with every bucket in use take %d bytes, want %d at most", got, worst)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// traffic makes counters with some of everything, always the same for a seed.
func traffic(seed int) *Counters {
	c := new(Counters)
	for i := range 500 {
		n := i*seed + seed
		c.Begin()
		if n%7 == 0 {
			c.Retry()
		}
		c.End(Record{
			Status:   []int{200, 201, 302, 404, 503, 101}[n%6],
			Duration: time.Duration(n*n) * time.Microsecond,
			BytesIn:  int64(n),
			BytesOut: int64(2 * n),
		})
	}
	return c
}
