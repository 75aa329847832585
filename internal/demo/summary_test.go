package demo

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"rgate/internal/stats"
)

// A file gets a line only when there is news.
func TestSummary(t *testing.T) {
	var line summary
	report := func(success, failed uint64) stats.Report {
		return stats.Report{Requests: stats.RequestsCount{Success: success, Error: failed}, Latency: stats.LatencyMS{Average: 1.25, P95: 2, P99: 3}}
	}
	for _, step := range []struct {
		success, failed uint64
		changed         bool
		want            string
	}{
		{0, 0, false, "0 requests: 0 success, 0 error | 0.0/s"},
		{30, 10, true, "40 requests: 30 success, 10 error | 4.0/s | average 1.2 ms, p95 2.0 ms, p99 3.0 ms"},
		{30, 10, false, "| 0.0/s |"},
	} {
		text := line.next(report(step.success, step.failed), 10*time.Second)
		if !strings.Contains(text, step.want) || line.changed != step.changed {
			t.Errorf("%d, %d: changed %v, %q; want %v, %q", step.success, step.failed, line.changed, text, step.changed, step.want)
		}
	}
}

// An id comes from a label, which anyone may set.
func TestLeaseStaysInItsDirectory(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	victim := os.TempDir() + "/victim.sock"
	if err := os.WriteFile(victim, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"../victim", "/../victim", "x/../../victim", ""} {
		if lives(id) {
			t.Errorf("%q lives", id)
		}
	}
	if _, err := os.Stat(victim); err != nil {
		t.Error(err)
	}
	l, err := takeLease()
	if err != nil {
		t.Fatal(err)
	}
	if !lives(l.id) {
		t.Error("a lease that was taken is not seen")
	}
	l.drop()
	if lives(l.id) {
		t.Error("a lease that was dropped is seen")
	}
}

func TestBackendSaysWhyItCannotListen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := Backend(t.Context(), "x", l.Addr().String()); err == nil || !strings.Contains(err.Error(), "cannot listen on") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Backend(ctx, "x", "127.0.0.1:0"); err != nil {
		t.Error(err)
	}
}

func TestBuildFailure(t *testing.T) {
	for messages, want := range map[string]string{
		`{"stream":"fine"}` + "\n" + `{"aux":{}}`:        "",
		`{"stream":"Step 1"}` + "\n" + `{"error":"bad"}`: "bad",
		`{"stream":`: "unexpected EOF",
	} {
		err := buildFailure(strings.NewReader(messages))
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %q", messages, err, want)
		}
	}
}
