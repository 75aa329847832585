//go:build linux

package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rgate/bench/internal/peer"
	"rgate/bench/internal/report"
	"rgate/internal/trial"
)

func TestParse(t *testing.T) {
	s, err := parse([]string{"-quick", "-only", "^small"}, &strings.Builder{})
	if err != nil || s.rounds != 1 || s.seconds > 0.5 {
		t.Errorf("%+v (%v)", s, err)
	}
	list, err := s.scenarios()
	if err != nil || len(list) != 2 {
		t.Errorf("%d scenarios (%v), want 2", len(list), err)
	}
	for _, args := range [][]string{{"-rounds", "0"}, {"-seconds", "0"}, {"surplus"}} {
		if _, err := parse(args, &strings.Builder{}); err == nil {
			t.Errorf("%q is no error", args)
		}
	}
}

// Scenarios have names of their own, and the open loop follows the one it
// takes its rate from.
func TestScenarios(t *testing.T) {
	var names []string
	for _, s := range allScenarios(10) {
		if slices.Contains(names, s.Name) {
			t.Errorf("%s is there twice", s.Name)
		}
		if s.share > 0 && !slices.Contains(names, saturation) {
			t.Errorf("%s comes before %s", s.Name, saturation)
		}
		names = append(names, s.Name)
		if (s.hybrid || s.handshake != "" || s.streams > 0) && !s.secure {
			t.Errorf("%s wants TLS", s.Name)
		}
		if s.connections == 0 || len(s.request.Paths) == 0 || s.Bytes == 0 || s.Title == "" {
			t.Errorf("%s lacks something: %+v", s.Name, s)
		}
	}
}

// The hybrid key exchange is held to what nginx does without it.
func TestWhoTakesPart(t *testing.T) {
	peers := []peer.Peer{{Name: "nginx"}, {Name: "HAProxy"}, peer.Rgate("", "", "", "loop", 1)}
	for name, want := range map[string][]bool{
		saturation: {true, true, true}, "https-idle": {true, true, true}, "https-hybrid": {true, false, true}, "h2-small": {true, true, true},
	} {
		all := allScenarios(90)
		at := slices.IndexFunc(all, func(s scenario) bool { return s.Name == name })
		for i, p := range peers {
			if got := all[at].takes(p); got != want[i] {
				t.Errorf("%s: %s takes part: %t", name, p.Name, got)
			}
		}
	}
}

func TestMarkdownFromFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bench.json")
	run1 := &report.Run{Command: "go run ./bench", Peers: []report.Peer{{Name: "nginx", Reference: true}}}
	if err := trial.Keep(file, run1); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run([]string{"-markdown", file}, &out, nil); err != nil || !strings.Contains(out.String(), "| nginx |") {
		t.Errorf("%q (%v)", out.String(), err)
	}
}
