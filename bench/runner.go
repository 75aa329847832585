//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"rgate/bench/internal/load"
	"rgate/bench/internal/peer"
	"rgate/bench/internal/report"
	"rgate/internal/trial"
)

const (
	warmup = 150 * time.Millisecond // connections are made, pools filled
	settle = 300 * time.Millisecond // for a gateway to put away what it needs no more
)

// runner measures one scenario after the other.
type runner struct {
	settings
	machine machine
	peers   []peer.Peer
	dir     string
	site    peer.Site // what all have in common
	run     *report.Run
	started int // peers so far, for the names of directories
}

// measure starts all peers anew, takes the rounds, and stops them. What fails
// in one peer is in its result, and does not end the run.
func (r *runner) measure(ctx context.Context, s scenario) error {
	r.run.Scenarios = append(r.run.Scenarios, s.Scenario)
	into := &r.run.Scenarios[len(r.run.Scenarios)-1]
	if s.Kind == report.Idle {
		return r.measureIdle(ctx, s, into)
	}
	peers := r.takers(s)
	into.Results = make([]report.Result, len(peers))
	processes := make([]*peer.Process, len(peers))
	for i, p := range peers {
		result := &into.Results[i]
		result.Peer = p.Name
		process, err := r.start(p)
		if err != nil {
			result.Failed = err.Error()
			continue
		}
		defer process.Stop()
		processes[i] = process
	}
	rate, err := r.rate(ctx, s, processes)
	if err != nil {
		return err
	}
	return r.interleave(ctx, into.Results, func(i int, result *report.Result) error {
		return r.round(ctx, s, rate, processes[i], result)
	})
}

// takers are the peers that a scenario is for.
func (r *runner) takers(s scenario) []peer.Peer {
	return slices.DeleteFunc(slices.Clone(r.peers), func(p peer.Peer) bool { return !s.takes(p) })
}

// measureIdle starts a peer anew for each round: what one round made it hold,
// the next would not see it take. Where a collector runs, one round says little.
func (r *runner) measureIdle(ctx context.Context, s scenario, into *report.Scenario) error {
	peers := r.takers(s)
	into.Results = make([]report.Result, len(peers))
	for i, p := range peers {
		into.Results[i].Peer = p.Name
	}
	return r.interleave(ctx, into.Results, func(i int, result *report.Result) error {
		process, err := r.start(peers[i])
		if err != nil {
			return err
		}
		defer process.Stop()
		return r.idle(ctx, s, process, result)
	})
}

// interleave takes one round after the other of all peers that have not failed.
func (r *runner) interleave(ctx context.Context, results []report.Result, one func(int, *report.Result) error) error {
	for range r.rounds {
		for i := range results {
			result := &results[i]
			if result.Failed != "" {
				continue
			}
			if err := one(i, result); err != nil {
				result.Failed = err.Error()
			}
			if err := context.Cause(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// start runs one peer in a directory and on a port of its own.
func (r *runner) start(p peer.Peer) (*peer.Process, error) {
	site := r.site
	for _, address := range []*netip.AddrPort{&site.Listen, &site.Secure} {
		port, err := trial.FreePort()
		if err != nil {
			return nil, err
		}
		*address = netip.AddrPortFrom(site.Origin.Addr(), uint16(port))
	}
	r.started++
	site.Dir = filepath.Join(r.dir, strconv.Itoa(r.started))
	if err := os.Mkdir(site.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make a directory: %w", err)
	}
	process, err := p.Start(site, r.machine.gateway)
	if err != nil {
		return nil, err
	}
	if err := process.Check(); err != nil {
		process.Stop()
		return nil, err
	}
	return process, nil
}

// order for a peer in a scenario.
func (r *runner) order(s scenario, rate float64, process *peer.Process) order {
	o := order{PIDs: process.PIDs(), Options: load.Options{
		Address: process.Site.Listen, Connections: s.connections, Request: s.request,
		Rate: rate, Warmup: warmup, Duration: r.duration(), Handshake: s.handshake,
	}}
	if s.secure {
		o.Address, o.Secure = process.Site.Secure, &load.Secure{Name: peer.Host, Offer: tls.X25519, Expect: tls.X25519}
	}
	if s.hybrid {
		o.Secure.Offer = tls.X25519MLKEM768
		if process.Hybrid() {
			o.Secure.Expect = o.Secure.Offer
		}
	}
	return o
}

// round is one measurement of one peer.
func (r *runner) round(ctx context.Context, s scenario, rate float64, process *peer.Process, into *report.Result) error {
	var result load.Result
	var err error
	if s.streams > 0 {
		result, err = r.streams(ctx, s, process)
	} else {
		result, err = generate(ctx, r.machine.load, r.order(s, rate, process))
	}
	if err != nil {
		return err
	}
	if !process.Alive() {
		return fmt.Errorf("it ended: %s", process.Output())
	}
	memory, err := process.Memory()
	if err != nil {
		return err
	}
	into.Rounds = append(into.Rounds, report.Round{
		Requests: result.Requests, Errors: result.Errors, FirstError: result.FirstError, Reconnects: result.Reconnects,
		Elapsed: result.Elapsed, CPU: result.CPU, P50: result.P50, P99: result.P99, PeakRSS: memory.Peak,
	})
	return nil
}

// idle measures how much memory idle connections take, in a peer that has
// done some work before.
func (r *runner) idle(ctx context.Context, s scenario, process *peer.Process, into *report.Result) error {
	before := r.order(s, 0, process)
	before.Connections, before.Duration = min(64, s.connections), settle
	if _, err := generate(ctx, r.machine.load, before); err != nil {
		return err
	}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	was, err := process.Memory()
	if err != nil {
		return err
	}
	holder, err := startChild(ctx, r.machine.load, "load")
	if err != nil {
		return err
	}
	hold := r.order(s, 0, process)
	hold.Hold = true
	if err := holder.tell(hold); err != nil {
		holder.end()
		return err
	}
	if _, err := holder.line(); err != nil {
		return err
	}
	defer holder.end()
	if err := pause(ctx, settle); err != nil {
		return err
	}
	is, err := process.Memory()
	if err != nil {
		return err
	}
	into.Rounds = append(into.Rounds, report.Round{PeakRSS: is.Peak, Grown: is.Now - was.Now})
	holder.input.Close()
	closed, err := holder.line()
	if err != nil {
		return err
	}
	if closed != "0" {
		into.Failed = "closed " + closed + " of the connections early"
	}
	return nil
}

// ceiling is how many requests per second load and origin do by themselves.
func (r *runner) ceiling(ctx context.Context) (float64, error) {
	s := allScenarios(r.settings.idle)[0]
	result, err := generate(ctx, r.machine.load, order{Options: load.Options{
		Address: r.site.Origin, Connections: s.connections, Request: s.request, Warmup: warmup, Duration: r.duration(),
	}})
	if err != nil {
		return 0, fmt.Errorf("cannot measure load and origin alone: %w", err)
	}
	return float64(result.Requests) / result.Elapsed.Seconds(), nil
}

// rate of an open loop, in requests per second; 0 for a closed one.
func (r *runner) rate(ctx context.Context, s scenario, processes []*peer.Process) (float64, error) {
	if s.share == 0 {
		return 0, nil
	}
	const nginx = 0 // the first of the peers
	name := r.peers[nginx].Name
	for i := range r.run.Scenarios {
		known := &r.run.Scenarios[i]
		if result := known.Result(name); known.Name == saturation && result != nil && len(result.Rounds) > 0 {
			return s.share * result.Median(report.PerSecond), nil
		}
	}
	if processes[nginx] == nil {
		return 0, fmt.Errorf("cannot find out the rate of %s, which does not run", name)
	}
	var result report.Result
	if err := r.round(ctx, s, 0, processes[nginx], &result); err != nil {
		return 0, err
	}
	return s.share * result.Median(report.PerSecond), nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
