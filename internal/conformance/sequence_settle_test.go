//go:build linux

package conformance

import (
	"fmt"
	"time"
)

// settle waits until nothing is counted as under way any more.
func (s *sequences) settle() {
	t := s.rig.Gate.Table()
	counted := func() (left []string) {
		note := func(what string, n int64) {
			if n != 0 {
				left = append(left, fmt.Sprintf("%s %d", what, n))
			}
		}
		note("without a route", t.Unmatched.InFlight())
		for _, r := range t.Routes {
			note("route "+r.Prefix, r.Targets[0].Stats.InFlight())
		}
		for _, e := range t.Endpoints() {
			note("endpoint "+e.Address, e.InFlight())
			note("statistics of endpoint "+e.Address, e.Stats.InFlight())
		}
		return left
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		left := counted()
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			s.t.Errorf("still in flight: %v", left)
			return
		}
	}
}

// accounts compares what the gateway counted with what clients sent and got.
func (s *sequences) accounts() {
	t := s.rig.Gate.Table()
	total := t.Unmatched.Snapshot()
	for _, r := range t.Routes {
		one := r.Targets[0].Stats.Snapshot()
		total.BytesIn, total.BytesOut = total.BytesIn+one.BytesIn, total.BytesOut+one.BytesOut
	}
	if why := s.ledger.in.wrong(total.BytesIn); why != "" {
		s.t.Errorf("of requests %s", why)
	}
	if why := s.ledger.out.wrong(total.BytesOut); why != "" {
		s.t.Errorf("of answers %s", why)
	}
}

// enough sees to it that all that should be tried was.
func (s *sequences) enough() {
	if s.faults.Load() > 0 {
		return
	}
	n := s.tally.get("exchanges")
	for what, share := range map[string]int{ // at least one in so many, which is far below what is planned
		"answered": 2, "connection reused": 5, "answered by length": 10, "answered by chunked": 10, "answered by close": 25,
		"request body by length": 20, "request body by chunked": 20, "queue": 20, "answered 103": 30,
		"trailer": 50, "HEAD": 50, "HTTP/1.0": 50, "stuck": 100, "upgraded": 200, "early": 200, "expectation": 200,
		"not answered": 200, statisticsSay: 300, nowhere: 300, "refused 431": 300, "refused 400": 300, "answered 100": 400,
		"refused 502": 1000, "broken off": 1000, "reloads": 1000, "refused 504": 1500,
	} {
		if got := s.tally.get(what); got < n/share {
			s.t.Errorf("of %d exchanges only %d with %q", n, got, what)
		}
	}
}
