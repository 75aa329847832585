//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rgate/internal/traffic"
)

// row is what became of one attack on one engine.
type row struct {
	attack      attack
	engine      string
	undisturbed float64 // right answers a second, before
	rate        float64 // and during the attack
	first       float64 // percentage that is answered right of those of its first second
	failed      int     // requests of the well-behaved, during it
	firstError  error
	p99         time.Duration
	before      int // MB resident
	peak        int
	descriptors int // at most
	crowd       tally
	crowds      int  // that told their tally
	again       bool // played a second time, as the first went badly
}

// share is the rate as a percentage of the undisturbed one.
func (r row) share() float64 { return math.Round(1000*r.rate/r.undisturbed) / 10 }

// leastShare is below which rgate gave way.
const leastShare = 95

func (r row) bad() bool {
	return r.share() < leastShare || r.first < leastShare || r.peak-r.before > r.attack.bound
}

// graceTime is how long after its time an attacker is interrupted.
const graceTime = 10 * time.Second

// attack plays one attack on an rgate of its own.
func (s settings) attack(ctx context.Context, a attack, engine, dir, origin string) (row, error) {
	r := row{attack: a, engine: engine}
	g, err := startRgate(s.rgate, engine, dir, origin, a.descriptors)
	if err != nil {
		return r, err
	}
	defer g.stop()
	quiet := s.load(ctx, g, a.secure, span(s.before))
	r.undisturbed = quiet.rate
	if quiet.failed > 0 {
		return r, fmt.Errorf("%d requests failed before the attack: %w", quiet.failed, quiet.err)
	}
	if r.before, err = g.memory("VmRSS"); err != nil {
		return r, err
	}
	until, cancel := context.WithTimeout(ctx, span(s.seconds)+graceTime)
	defer cancel()
	attackers := &attackers{}
	if err := attackers.start(until, a, g.target(a), span(s.seconds)); err != nil {
		return r, err
	}
	var watch sync.WaitGroup
	over := make(chan struct{})
	watch.Go(func() { r.descriptors = watchDescriptors(g, over) })
	during := s.load(ctx, g, a.secure, span(s.seconds))
	close(over)
	watch.Wait()
	r.crowd, r.crowds = attackers.wait()
	r.rate, r.first, r.failed, r.firstError, r.p99 = during.rate, during.first, during.failed, during.err, during.p99
	r.peak, err = g.memory("VmHWM")
	return r, errors.Join(err, context.Cause(ctx), tracked())
}

// tracked is an error where the kernel's table of connections is full: it drops
// packets then, whoever sends them.
func tracked() error {
	number := func(name string) float64 {
		text, _ := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_" + name)
		n, _ := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
		return n
	}
	if count, most := number("count"), number("max"); count > most*0.95 { // 0 of 0 where none is kept
		return errors.New("the kernel tracks too many connections, and drops packets: wait some minutes, or raise nf_conntrack_max")
	}
	return nil
}

// outcome is what became of a load.
type outcome struct {
	rate   float64 // right answers a second, while it lasted
	first  float64 // as row.first
	failed int
	err    error // the first
	p99    time.Duration
}

// target is where an attack goes.
func (g *gateway) target(a attack) string {
	if a.secure {
		return g.secure
	}
	return g.address
}

// load holds the well-behaved load on rgate for a while; half of it over TLS where
// that is attacked.
func (s settings) load(ctx context.Context, g *gateway, secure bool, last time.Duration) outcome {
	loads := []*traffic.Load{traffic.Start(g.address, nil, s.rate)}
	if secure {
		loads = append(loads[:0], traffic.Start(g.address, nil, s.rate/2), traffic.Start(g.secure, g.trust, s.rate/2))
	}
	return watch(ctx, loads, last)
}

// watch lets loads run for a while, and sums up what became of them.
func watch(ctx context.Context, loads []*traffic.Load, last time.Duration) outcome {
	began := time.Now()
	select {
	case <-ctx.Done():
	case <-time.After(last):
	}
	end := time.Now()
	var o outcome
	var latencies []time.Duration
	right, first, firstRight := 0, 0, 0
	var results []traffic.Result
	for _, l := range loads {
		results = append(results, l.End()...)
	}
	for _, r := range results {
		latencies = append(latencies, r.Latency())
		if r.Due.Sub(began) < time.Second {
			if first++; r.Err == nil {
				firstRight++
			}
		}
		switch {
		case r.Err == nil && !r.Answered.After(end):
			right++
		case r.Err != nil:
			if o.failed++; o.err == nil {
				o.err = r.Err
			}
		}
	}
	o.rate = float64(right) / end.Sub(began).Seconds()
	o.first = 100 * float64(firstRight) / float64(max(first, 1))
	if slices.Sort(latencies); len(latencies) > 0 {
		o.p99 = latencies[len(latencies)*99/100]
	}
	return o
}

// watchDescriptors is the most that rgate had open until over.
func watchDescriptors(g *gateway, over <-chan struct{}) (most int) {
	for {
		most = max(most, g.descriptors())
		select {
		case <-over:
			return most
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// attackers are the processes of an attack.
type attackers struct {
	all sync.WaitGroup

	mu     sync.Mutex
	sum    tally
	crowds int
}

// start starts them; they end by themselves, or with ctx.
func (t *attackers) start(ctx context.Context, a attack, address string, last time.Duration) error {
	program := a.tool
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return fmt.Errorf("cannot find the program's own binary: %w", err)
		}
	}
	until := time.Now().Add(last)
	for _, argv := range a.argv(address, last) {
		argv = append([]string{"-n", "19", program}, argv...)
		first, out := attacker(ctx, argv)
		if err := first.Start(); err != nil {
			return fmt.Errorf("cannot start an attacker: %w", err)
		}
		t.all.Go(func() {
			_ = first.Wait()
			t.add(out.Bytes())
			// slowhttptest ends once all its connections are closed.
			for a.tool != "" && ctx.Err() == nil && time.Until(until) > time.Second {
				again, _ := attacker(ctx, argv)
				_ = again.Run()
			}
		})
	}
	return nil
}

func attacker(ctx context.Context, argv []string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, "nice", argv...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	out := &bytes.Buffer{}
	cmd.Stdout = out
	return cmd, out
}

// add takes what a crowd said.
func (t *attackers) add(said []byte) {
	var one tally
	if json.Unmarshal(said, &one) != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.Opened += one.Opened
	t.sum.Refused += one.Refused
	t.sum.Failed += one.Failed
	t.crowds++
}

func (t *attackers) wait() (tally, int) {
	t.all.Wait()
	return t.sum, t.crowds
}
