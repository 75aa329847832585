package stats

import (
	"encoding/json"
	"testing"
	"time"
)

// indented checks v as rgate prints it.
func indented(t *testing.T, v any, want string) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestReportJSON(t *testing.T) {
	var c Counters
	indented(t, c.Snapshot().Report(), `{
  "requests_count": {
    "success": 0,
    "error": 0
  },
  "latency_ms": {
    "average": 0,
    "p95": 0,
    "p99": 0
  }
}`)
	// The spec's stats.json, to the letter.
	indented(t, Report{RequestsCount{100, 110}, LatencyMS{2, 5, 10}}, `{
  "requests_count": {
    "success": 100,
    "error": 110
  },
  "latency_ms": {
    "average": 2,
    "p95": 5,
    "p99": 10
  }
}`)
	c.Begin()
	c.Begin()
	c.Retry()
	c.End(Record{Status: 200, Duration: 1234567 * time.Nanosecond, BytesIn: 7, BytesOut: 9, Truncated: true})
	c.End(Record{Status: 503, Duration: 2 * time.Microsecond})
	c.Begin()
	indented(t, c.Snapshot().ItemReport(), `{
  "requests_count": {
    "success": 1,
    "error": 1
  },
  "latency_ms": {
    "average": 0.619,
    "p95": 1.237,
    "p99": 1.237
  },
  "in_flight": 1,
  "bytes_in": 7,
  "bytes_out": 9,
  "retries": 1,
  "truncated": 1,
  "status_classes": {
    "1xx": 0,
    "2xx": 1,
    "3xx": 0,
    "4xx": 0,
    "5xx": 1
  }
}`)
}
