//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"rgate/bench/internal/peer"
	"rgate/bench/internal/report"
	"rgate/internal/install"
	"rgate/internal/trial"
)

// gather makes the list of those that take part.
func gather(ctx context.Context, s settings, dir string, note func(string)) ([]peer.Peer, error) {
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
		own, err := subjects(ctx, s, dir)
		if err != nil {
			note(err.Error())
		}
		peers = append(peers, own...)
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

// subjects are rgate, each of the binaries on each of the engines.
func subjects(ctx context.Context, s settings, dir string) (peers []peer.Peer, err error) {
	binaries := strings.Split(s.rgate, ",")
	for _, given := range binaries {
		binary, version, err := buildRgate(ctx, given, dir)
		if err != nil {
			return nil, err
		}
		label := ""
		if len(binaries) > 1 {
			label = filepath.Base(given)
		}
		for _, engine := range strings.Split(s.engines, ",") {
			peers = append(peers, peer.Rgate(binary, version, label, strings.TrimSpace(engine), 1))
		}
		if s.loops > 1 {
			peers = append(peers, peer.Rgate(binary, version, label, "loop", s.loops))
		}
	}
	return peers, nil
}

// buildRgate builds it as `make build` does, unless there is a binary already.
func buildRgate(ctx context.Context, given, dir string) (binary, version string, err error) {
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
	if err := trial.Build(ctx, binary); err != nil {
		return "", "", err
	}
	if out, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output(); err == nil {
		version = strings.TrimSpace(string(out))
	}
	return binary, version, nil
}

// columns are the peers as a report names them.
func columns(peers []peer.Peer) (list []report.Peer) {
	for _, p := range peers {
		list = append(list, report.Peer{
			Name: p.Name, Version: p.Version, Reference: p.Role == peer.Reference, Aside: p.Role == peer.Informational,
			Held: p.Role == peer.Subject && strings.Contains(p.Name, "loop"),
		})
	}
	return list
}
