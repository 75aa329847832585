//go:build linux

package conformance

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/route"
)

var (
	sequenceSeed  = flag.Uint64("sequences.seed", 0, "play the `sequences` of this seed; 0 for others each time")
	sequenceCount = flag.Int("sequences.exchanges", 2000, "how `many` exchanges each engine is to carry")
	sequenceTime  = flag.Duration("sequences.for", 0, "how `long` to go on, instead of a number of exchanges")
)

const (
	visitors = 12
	actors   = 4
	// responseHeader is how long the gateway waits for an endpoint. Under load
	// some are late without meaning to, which is one more thing that happens.
	responseHeader = time.Second
	// mostFaults are told of before a run ends.
	mostFaults = 5
)

// TestSequences sends random sequences of exchanges of every kind over
// connections that clients and endpoints share, through one gateway whose table
// changes all the while. All that belongs to an exchange carries its identity,
// and no byte of one may appear in another: see judge for what a client may get,
// wrongRequest for an endpoint.
//
// What happens follows from a seed, but for the times at which it does.
func TestSequences(t *testing.T) {
	seed := *sequenceSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := &sequences{t: t, seed: seed, proto: protoOf(kind)}
			s.run(kind)
		})
	}
}

// sequences is one run.
type sequences struct {
	t      *testing.T
	seed   uint64
	proto  string // that clients speak to the gateway
	rig    *rig.Rig
	ending time.Time // zero for not by time

	connections atomic.Uint32
	faults      atomic.Int32
	tries       attempts
	tally       tally
	ledger      ledger
	cookies     cookies
	unasked     unasked
}

func (s *sequences) run(kind string) {
	t := s.t
	var addresses []string
	for i := range actors {
		e := &actor{s, fmt.Sprintf("endpoint-%d", i)}
		addresses = append(addresses, accept(t, e.serve))
	}
	s.rig = rig.Start(t, kind, func(c *config.Config) { s.configure(c, addresses) }, addresses...)
	if *sequenceTime > 0 {
		s.ending = time.Now().Add(*sequenceTime)
	}
	stop := make(chan struct{})
	var reloads, clients sync.WaitGroup
	reloads.Go(func() { s.reload(stop) })
	for range visitors {
		clients.Go(func() {
			v := &visitor{sequences: s}
			for !s.over() {
				v.visit(s.connections.Add(1))
			}
		})
	}
	clients.Wait()
	close(stop)
	reloads.Wait()
	t.Logf("seed %d: %v", s.seed, &s.tally)
	s.settle()
	s.accounts()
	s.enough()
}

// over tells whether the run has come to its end.
func (s *sequences) over() bool {
	if s.faults.Load() >= mostFaults {
		return true
	}
	if !s.ending.IsZero() {
		return time.Now().After(s.ending)
	}
	most := *sequenceCount
	if testing.Short() {
		most /= 4
	}
	return s.tally.get("exchanges") >= most
}

// configure has the gateway serve the routes of plans.
func (s *sequences) configure(c *config.Config, addresses []string) {
	c.DefaultResponse.Body, c.DefaultResponse.StatusCode = nowhere, 404
	c.Limits.RequestsPerConnection, c.Timeouts.ResponseHeader = 12, responseHeader
	c.HalfClose = pick(throw(s.seed, forHalfClose), config.HalfCloseAnswer, config.HalfCloseCancel)
	c.Traffic.Eject.ConnectFailures, c.Traffic.Eject.ServerErrors = 0, 0
	c.Backends, c.Routes = nil, nil
	for _, name := range []string{plainRoute, stickyRoute, narrowRoute} {
		b := config.Backend{Name: name, Scheme: "http", Address: "auto", Endpoints: addresses, Traffic: c.Traffic}
		switch name {
		case stickyRoute:
			b.Traffic.Sticky = config.Sticky{Cookie: "stick", Secret: "sequences"}
		case narrowRoute:
			b.Traffic.MaxInFlight, b.Traffic.Queue = 3, config.Queue{Size: 100, Timeout: patience}
		}
		c.Backends = append(c.Backends, b)
		c.Routes = append(c.Routes, config.Route{PathPrefix: "/" + name + "/", Backend: name, Match: config.MatchLiteral})
	}
}

// reload gives the gateway one table after the other: endpoints come and go,
// and so do routes that nobody takes.
func (s *sequences) reload(stop chan struct{}) {
	d := throw(s.seed, forReload)
	first := s.rig.Gate.Table().Config
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(d.IntN(100)) * time.Millisecond):
		}
		next := *first
		next.Routes = append([]config.Route{{PathPrefix: fmt.Sprintf("/%d/", d.IntN(5)), Backend: plainRoute, Match: config.MatchLiteral}}, first.Routes...)
		next.Backends = nil
		for _, b := range first.Backends {
			at := d.IntN(actors)
			b.Endpoints = append(append([]string(nil), b.Endpoints[at:]...), b.Endpoints[:at]...)[:2+d.IntN(actors-1)]
			b.Traffic.Retries = 1 + d.IntN(3)
			next.Backends = append(next.Backends, b)
		}
		s.rig.Swap(route.Build(&next, nil, s.rig.Gate.Table()))
		s.tally.add("reloads")
	}
}

// fault tells of something wrong that m shows in the exchange of p.
func (s *sequences) fault(p *plan, m *message, format string, args ...any) {
	if s.faults.Add(1) > mostFaults {
		return
	}
	s.t.Errorf("%s\nin exchange %+v\nwhose message is %s\nplay this again with -sequences.seed=%d",
		fmt.Sprintf(format, args...), p, m.summary(), s.seed)
}

// look looks for what is not of p in all that came of m.
func (s *sequences) look(p *plan, m *message, who string) {
	if other, found := stray(m.raw, p.id); found {
		at := bytes.Index(m.raw, []byte(other.String()))
		s.fault(p, m, "%s got something of exchange %v: %.300q\nwhich is %+v", who, other, m.raw[max(0, at-100):], planOf(s.seed, other))
	}
	if poisoned(m.raw) {
		s.fault(p, m, "%s got memory that was given back, at byte %d", who, bytes.IndexByte(m.raw, 0xDB))
	}
}

// foreign looks for what an endpoint said without being asked; with it, m is no
// answer to a, though nobody could tell.
func (s *sequences) foreign(a *asked, m *message) bool {
	all := marks(m.raw, "Zu", "uZ")
	for _, n := range all {
		if !s.unasked.excusable(n, a.at) {
			s.fault(a.plan, m, "a client got %s, which nobody asked for", markOf(int(n)))
		}
		s.tally.add("excusable")
	}
	return len(all) > 0
}
