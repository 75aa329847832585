package report

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rgate/internal/trial"

	"github.com/google/go-cmp/cmp"
)

// example is a run in which HAProxy is the cheaper one, in every round.
func example() *Run {
	rounds := func(cpu ...time.Duration) []Round {
		var list []Round
		for _, c := range cpu {
			list = append(list, Round{
				Requests: 1000, Elapsed: 100 * time.Millisecond, CPU: c,
				P50: c / 100, P99: c / 50, PeakRSS: 12_300_000,
			})
		}
		return list
	}
	ms := time.Millisecond
	return &Run{
		Time: time.Date(2026, 11, 25, 1, 2, 3, 0, time.UTC), Command: "go run ./bench", CPU: "A Processor, 2 CPUs",
		CPUs: "gateway alone on CPU 0", Kernel: "6.18", Go: "go1.26.8", Rounds: 3, Seconds: 0.1, Ceiling: 40_000,
		Notes: []string{"a note"},
		Peers: []Peer{{Name: "nginx", Version: "1.22", Reference: true}, {Name: "HAProxy", Version: "2.6", Reference: true},
			{Name: "rgate loop", Held: true}, {Name: "Caddy", Aside: true}},
		Scenarios: []Scenario{{
			Name: "small-64", Title: "64 connections", Kind: Requests, Bytes: 128,
			Results: []Result{
				{Peer: "nginx", Rounds: rounds(100*ms, 200*ms, 96*ms)},
				{Peer: "HAProxy", Rounds: rounds(80*ms, 160*ms, 96*ms)},
				{Peer: "rgate loop", Rounds: rounds(60*ms, 120*ms, 72*ms)},
				{Peer: "Caddy", Failed: "it ended: oh"},
			},
		}, {
			Name: "idle", Title: "9000 idle connections", Kind: Idle,
			Results: []Result{
				{Peer: "nginx", Rounds: []Round{{Grown: 5_000_000}}},
				{Peer: "HAProxy", Rounds: []Round{{Grown: 6_000_000}}},
				{Peer: "rgate loop", Rounds: []Round{{Grown: 10_000_000}}},
			},
		}, {
			Name: "https-full", Title: "a handshake each", Kind: Handshakes, Bytes: 128, Bar: 0.7,
			Results: []Result{
				{Peer: "HAProxy", Rounds: rounds(80*ms, 160*ms, 96*ms)},
				{Peer: "rgate loop", Rounds: rounds(60*ms, 120*ms, 72*ms)},
			},
		}, {
			Name: "h2-small", Title: "16 streams", Kind: Streams, Bytes: 128,
			Results: []Result{{Peer: "HAProxy", Rounds: []Round{{Requests: 1000, Elapsed: 100 * ms, CPU: 80 * ms, PeakRSS: 1_000_000}}}},
		}},
	}
}

func TestTable(t *testing.T) {
	r := example()
	var b strings.Builder
	for i := range r.Scenarios {
		r.Scenarios[i].Table(&b, r.Peers)
	}
	want := `
64 connections
                 CPU/request      requests/s             p50             p99        peak RSS  CPU busy
  nginx               100 µs          10,000         1.00 ms         2.00 ms         12.3 MB     100 %
  HAProxy            96.0 µs          10,000          960 µs         1.92 ms         12.3 MB      96 %
  rgate loop         72.0 µs          10,000          720 µs         1.44 ms         12.3 MB      72 %
  Caddy               failed
  ratio to nginx / HAProxy / the peer (HAProxy)
  nginx       1.00/1.25/1.25  1.00/1.00/1.00  1.00/1.25/1.25  1.00/1.25/1.25  1.00/1.00/1.00
  HAProxy     0.80/1.00/1.00  1.00/1.00/1.00  0.80/1.00/1.00  0.80/1.00/1.00  1.00/1.00/1.00
  rgate loop  0.60/0.75/0.75  1.00/1.00/1.00  0.60/0.75/0.75  0.60/0.75/0.75  1.00/1.00/1.00
  ! rgate loop: used 72 % of its processor: the load, or what else ran here, was the bound of requests/s and latencies
  ! Caddy: it ended: oh

9000 idle connections
                 RSS grew by
  nginx               5.0 MB
  HAProxy             6.0 MB
  rgate loop         10.0 MB
  ratio to nginx / HAProxy / the peer (nginx)
  nginx       1.00/0.83/1.00
  HAProxy     1.20/1.00/1.20
  rgate loop  2.00/1.67/2.00

a handshake each
              CPU/connection  connections/s        p50        p99   peak RSS  CPU busy
  HAProxy            96.0 µs         10,000     960 µs    1.92 ms    12.3 MB      96 %
  rgate loop         72.0 µs         10,000     720 µs    1.44 ms    12.3 MB      72 %
  ratio to HAProxy / the peer (HAProxy)
  HAProxy          1.00/1.00      1.00/1.00  1.00/1.00  1.00/1.00  1.00/1.00
  rgate loop       0.75/0.75      1.00/1.00  0.75/0.75  0.75/0.75  1.00/1.00
  ! rgate loop: 0.75 of HAProxy, above the bar of 0.70

16 streams
           CPU/request  requests/s   peak RSS  CPU busy
  HAProxy      80.0 µs      10,000     1.0 MB      80 %
  ratio to HAProxy / the peer (HAProxy)
  HAProxy    1.00/1.00   1.00/1.00  1.00/1.00
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestHeader(t *testing.T) {
	var b strings.Builder
	example().Header(&b)
	for _, want := range []string{"go run ./bench", "25 November 2026", "A Processor", "6.18", "go1.26.8", "nginx 1.22", "HAProxy 2.6", "3 interleaved", "nginx / HAProxy;", "! a note", "do 40,000 requests/s"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	example().Markdown(&b)
	for _, want := range []string{
		"| Cost | nginx 1.22 | HAProxy 2.6 | rgate loop | Caddy |\n|---|--:|--:|--:|--:|\n",
		"| 64 connections, CPU/request | 100 µs | 96.0 µs | 72.0 µs (**0.75**) | – |\n",
		"| 9000 idle connections, RSS grew by | 5.0 MB | 6.0 MB | 10.0 MB (2.00) | – |\n",
		"| a handshake each, CPU/connection | – | 96.0 µs | 72.0 µs (**0.75**) | – |\n",
		"| 16 streams, CPU/request | – | 80.0 µs | – | – |\n",
		"| a handshake each | – | 1.92 ms | 1.44 ms (**0.75**) | – |\n",
		"| 64 connections | 2.00 ms | 1.92 ms | 1.44 ms (**0.75**) | – |\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

func TestWarnings(t *testing.T) {
	r := Result{Rounds: []Round{
		{Requests: 100, Reconnects: 1, Elapsed: time.Second, CPU: time.Second},
		{Requests: 100, Errors: 3, FirstError: "status 503", Elapsed: time.Second, CPU: time.Second},
	}}
	want := []string{"3 wrong answers, the first: status 503", "closed 5.0 connections per 1000 requests"}
	if diff := cmp.Diff(want, r.warnings(Requests)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What is kept of a run is all that the tables of docs/performance.md are made of.
func TestKeepsAll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bench.json")
	want, got := example(), &Run{}
	if err := trial.Keep(file, want); err != nil {
		t.Fatal(err)
	}
	err := trial.Kept(file, got)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestFormats(t *testing.T) {
	for got, want := range map[string]string{
		duration(0): "-", duration(4.2e-6): "4.20 µs", duration(0.0123): "12.3 ms", duration(2.5): "2.50 s",
		count(7): "7", count(1234567): "1,234,567", count(999): "999", ratio(0): "-", ratio(0.846): "0.85",
		memory(1_260_000): "1.3 MB",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestMedianOfEven(t *testing.T) {
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("%g, want 2.5", got)
	}
}
