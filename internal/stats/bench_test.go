package stats

import (
	"math/rand/v2"
	"testing"
	"time"
)

func BenchmarkRecord(b *testing.B) {
	var c Counters
	records := sampleRecords()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Begin()
		c.End(records[i%len(records)])
	}
}

func BenchmarkRecordParallel(b *testing.B) {
	var c Counters
	records := sampleRecords()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := rand.IntN(len(records)); pb.Next(); i++ {
			c.Begin()
			c.End(records[i%len(records)])
		}
	})
}

func BenchmarkReport(b *testing.B) {
	var c Counters
	for range 1000 {
		for _, r := range sampleRecords() {
			c.End(r)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Snapshot().Report()
	}
}

// sampleRecords spread over a few octaves and classes, as real traffic does.
func sampleRecords() []Record {
	r := rand.New(rand.NewPCG(1, 2))
	records := make([]Record, 1024)
	for i := range records {
		records[i] = Record{
			Status:   []int{200, 200, 200, 304, 404, 503}[r.IntN(6)],
			Duration: time.Duration(r.ExpFloat64() * float64(3*time.Millisecond)),
			BytesIn:  100,
			BytesOut: 1000,
		}
	}
	return records
}
