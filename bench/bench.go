//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"rgate/bench/internal/peer"
	"rgate/bench/internal/report"
	"rgate/internal/install"
)

// bench measures all scenarios and prints each as soon as it is done.
func bench(ctx context.Context, s settings, scenarios []scenario, command string, stdout io.Writer) error {
	turn, err := alone(turnName)
	if err != nil {
		return err
	}
	defer turn.Close()
	if err := install.Debian("nginx", "haproxy", "taskset"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rgate-bench-")
	if err != nil {
		return fmt.Errorf("cannot make a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	m, err := newMachine(s.nice)
	if err != nil {
		return err
	}
	run := &report.Run{
		Time: time.Now().Round(time.Second), Command: command,
		CPU: cpuModel(), CPUs: m.String(), Kernel: kernel(), Go: runtime.Version(),
		Rounds: s.rounds, Seconds: s.seconds,
	}
	note := func(text string) {
		if text != "" {
			run.Notes = append(run.Notes, text)
		}
	}
	note(m.note)
	note(loadNote())
	peers, err := gather(s, dir, note)
	if err != nil {
		return err
	}
	for _, p := range peers {
		run.Peers = append(run.Peers, report.Peer{
			Name: p.Name, Version: p.Version, Reference: p.Role == peer.Reference, Aside: p.Role == peer.Informational,
		})
	}
	origin, err := startChild(ctx, m.origin, "origin")
	if err != nil {
		return err
	}
	defer origin.end()
	line, err := origin.line()
	if err != nil {
		return fmt.Errorf("cannot start the origin: %w", err)
	}
	r := &runner{settings: s, machine: m, peers: peers, dir: dir, run: run}
	if r.origin, err = netip.ParseAddrPort(line); err != nil {
		return fmt.Errorf("cannot start the origin: %w", err)
	}
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
	if err := run.Write(s.json); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nThe figures of every round are in %s; -markdown %s prints the README's table.\n", s.json, s.json)
	return nil
}

// gather makes the list of those that take part.
func gather(s settings, dir string, note func(string)) ([]peer.Peer, error) {
	nginx, err := peer.Nginx()
	if err != nil {
		return nil, err
	}
	haproxy, err := peer.HAProxy(false)
	if err != nil {
		return nil, err
	}
	tcp, err := peer.HAProxy(true)
	if err != nil {
		return nil, err
	}
	peers := []peer.Peer{nginx, haproxy, tcp}
	if s.engines != "" {
		binary, version, err := buildRgate(s.rgate, dir)
		if err != nil {
			note(err.Error())
		} else {
			for _, engine := range strings.Split(s.engines, ",") {
				peers = append(peers, peer.Rgate(binary, version, strings.TrimSpace(engine), 1))
			}
			if s.loops > 1 {
				peers = append(peers, peer.Rgate(binary, version, "loop", s.loops))
			}
		}
	}
	if s.caddy {
		binary, err := install.Caddy()
		if err != nil {
			return nil, err
		}
		peers = append(peers, peer.Caddy(binary, install.CaddyVersion))
	}
	return peers, nil
}

// buildRgate builds it as `make build` does, unless there is a binary already.
func buildRgate(given, dir string) (binary, version string, err error) {
	if given != "" {
		binary, err = filepath.Abs(given)
		if err == nil {
			_, err = os.Stat(binary)
		}
		if err != nil {
			return "", "", fmt.Errorf("cannot measure rgate: %w", err)
		}
		return binary, "", nil
	}
	binary = filepath.Join(dir, "rgate")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/rgate")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("cannot build rgate, so it does not take part: %s", strings.TrimSpace(string(out)))
	}
	if out, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output(); err == nil {
		version = strings.TrimSpace(string(out))
	}
	return binary, version, nil
}
