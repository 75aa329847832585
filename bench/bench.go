//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"rgate/bench/internal/peer"
	"rgate/bench/internal/report"
	"rgate/internal/install"
	"rgate/internal/trial"
)

// bench measures all scenarios and prints each as soon as it is done.
func bench(ctx context.Context, s settings, scenarios []scenario, command string, stdout io.Writer) error {
	turn, err := trial.Alone("bench")
	if err != nil {
		return err
	}
	defer turn.Close()
	if err := install.Debian("nginx", "haproxy", "taskset", "h2load"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rgate-bench-")
	if err != nil {
		return fmt.Errorf("cannot make a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	m, err := newMachine(s.nice, s.loops > 1)
	if err != nil {
		return err
	}
	run := newRun(s, m, command)
	note := func(text string) {
		if text != "" {
			run.Notes = append(run.Notes, text)
		}
	}
	note(loadNote())
	peers, err := gather(ctx, s, dir, note)
	if err != nil {
		return err
	}
	run.Peers = columns(peers)
	r := &runner{settings: s, machine: m, peers: peers, dir: dir, run: run}
	if err := r.certify(); err != nil {
		return err
	}
	origin, err := r.startOrigin(ctx)
	if err != nil {
		return fmt.Errorf("cannot start the origin: %w", err)
	}
	defer origin.end()
	if run.Ceiling, err = r.ceiling(ctx); err != nil {
		return err
	}
	run.Header(stdout)
	for _, one := range scenarios {
		if err := r.measure(ctx, one); err != nil {
			return err
		}
		run.Scenarios[len(run.Scenarios)-1].Table(stdout, run.Peers)
	}
	if s.json == "" {
		return nil
	}
	if err := trial.Keep(s.json, run); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nThe figures of every round are in %s; -markdown %s prints the tables of docs/performance.md.\n", s.json, s.json)
	return nil
}

func newRun(s settings, m machine, command string) *report.Run {
	return &report.Run{
		Time: time.Now().Round(time.Second), Command: command,
		CPU: cpuModel(), CPUs: m.String(), Kernel: kernel(), Go: runtime.Version(),
		Rounds: s.rounds, Seconds: s.seconds, Notes: m.notes,
	}
}

// startOrigin starts the process that all requests end at.
func (r *runner) startOrigin(ctx context.Context) (*child, error) {
	origin, err := startChild(ctx, r.machine.origin, "origin")
	if err != nil {
		return nil, err
	}
	line, err := origin.line()
	if err == nil {
		r.site.Origin, err = netip.ParseAddrPort(line)
	}
	if err != nil {
		origin.end()
		return nil, err
	}
	return origin, nil
}

// certify makes the certificate that all peers have.
func (r *runner) certify() (err error) {
	r.site.Cert, r.site.Key, err = trial.Issue(r.dir, "site", peer.Host)
	if err != nil {
		return err
	}
	var pair []byte
	for _, file := range []string{r.site.Cert, r.site.Key} {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("cannot read a certificate: %w", err)
		}
		pair = append(pair, text...)
	}
	r.site.Pair = filepath.Join(r.dir, "pair.pem")
	if err := os.WriteFile(r.site.Pair, pair, 0o600); err != nil {
		return fmt.Errorf("cannot write a certificate: %w", err)
	}
	return nil
}
