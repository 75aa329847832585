package demo

import (
	"context"
	"fmt"
	"time"

	"rgate/internal/gateway"
	"rgate/internal/stats"
)

// How often the summary is written: a person watches a terminal, a file is
// read later.
const (
	redraw  = 500 * time.Millisecond
	logging = 10 * time.Second
)

// summarise writes the traffic so far again and again until ctx ends. Where
// the gateway ends before, it answers true and the error.
func summarise(ctx context.Context, o Options, g *gateway.Gateway, ended <-chan error) (error, bool) {
	every := logging
	if o.Terminal {
		every = redraw
		defer fmt.Fprintln(o.Stdout)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var line summary
	for {
		if text := line.next(g.Report(), every); o.Terminal {
			fmt.Fprintf(o.Stdout, "\r\x1b[K%s", text)
		} else if line.changed {
			fmt.Fprintln(o.Stdout, text)
		}
		select {
		case err := <-ended:
			return err, true
		case <-ctx.Done():
			return nil, false
		case <-tick.C:
		}
	}
}

// summary is the traffic on one line.
type summary struct {
	seen    uint64
	changed bool // since the line before
}

func (s *summary) next(r stats.Report, since time.Duration) string {
	total := r.Requests.Success + r.Requests.Error
	rate := float64(total-s.seen) / since.Seconds()
	s.changed, s.seen = total != s.seen, total
	return fmt.Sprintf("%d requests: %d success, %d error | %.1f/s | average %.1f ms, p95 %.1f ms, p99 %.1f ms",
		total, r.Requests.Success, r.Requests.Error, rate, r.Latency.Average, r.Latency.P95, r.Latency.P99)
}
