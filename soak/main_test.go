//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/moby/moby/api/types/events"

	"rgate/internal/trial"
	"rgate/soak/internal/report"
	"rgate/soak/internal/verdict"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	s, err := parse([]string{"-only", "^rolling", "-compare"}, &strings.Builder{})
	if err != nil || s.json != ".cache/deploys.json" {
		t.Errorf("%+v (%v)", s, err)
	}
	list, err := s.scenarios()
	if err != nil || len(list) != 3 {
		t.Errorf("%d scenarios (%v), want 3", len(list), err)
	}
	for _, args := range [][]string{{"-rate", "0"}, {"-seconds", "0"}, {"surplus"}} {
		if _, err := parse(args, &strings.Builder{}); err == nil {
			t.Errorf("%q is no error", args)
		}
	}
}

func TestScenariosHaveNamesOfTheirOwn(t *testing.T) {
	var names []string
	for _, s := range allScenarios() {
		if slices.Contains(names, s.name) || s.title == "" || len(s.fleet) == 0 {
			t.Errorf("%+v", s)
		}
		names = append(names, s.name)
	}
}

// One scenario for real, from the binary to the table.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine, which -short does without")
	}
	file := filepath.Join(t.TempDir(), "soak.json")
	var out strings.Builder
	err := run([]string{"-only", "^pause$", "-engines", "standard", "-seconds", "1", "-rate", "50", "-json", file}, &out, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	var r report.Run
	if err := trial.Kept(file, &r); err != nil || len(r.Rows) != 1 || r.Rows[0].Sent < 100 || r.Rows[0].Retries < 0 {
		t.Errorf("%+v (%v)", r, err)
	}
	out.Reset()
	if err := run([]string{"-markdown", file}, &out, &out); err != nil || !strings.Contains(out.String(), "| rgate standard |") {
		t.Errorf("%q (%v)", out.String(), err)
	}
}

func TestPerform(t *testing.T) {
	struck := 0
	play := func(act func(*stage)) error {
		return perform(t.Context(), t.TempDir(), &strings.Builder{}, func(s *stage) {
			s.Cleanup(func() {
				if struck++; s.ctx.Err() == nil {
					t.Error("a cleanup runs before the context ends")
				}
			})
			act(s)
		})
	}
	for want, act := range map[string]func(*stage){
		"":                 func(s *stage) { s.Logf("fine"); s.pause(0); s.TempDir() },
		"cannot do 7":      func(s *stage) { s.Fatalf("cannot do %d", 7) },
		"cannot":           func(s *stage) { s.Fatal("cannot") },
		"odd":              func(s *stage) { s.Errorf("odd") },
		"context canceled": func(s *stage) { s.cancel(); s.pause(time.Hour) },
	} {
		if err := play(act); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if struck != 5 {
		t.Errorf("%d stages were struck", struck)
	}
}

func TestEndings(t *testing.T) {
	e := &endings{by: map[string][]verdict.Ending{}}
	hear := func(action events.Action, signal string) {
		e.hear(events.Message{Action: action, TimeNano: 5, Actor: events.Actor{Attributes: map[string]string{"name": "c", "signal": signal}}})
	}
	hear(events.ActionStart, "")
	hear(events.ActionKill, "15")
	hear(events.ActionKill, "9")
	hear(events.ActionDie, "")
	want := []string{verdict.Stopping, verdict.Killed, verdict.Killed}
	var got []string
	for _, end := range e.all()["c"] {
		got = append(got, end.Kind)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestFaultsAreReadFromTheLog(t *testing.T) {
	err := perform(context.Background(), t.TempDir(), &strings.Builder{}, func(s *stage) {
		g := newRgate(s, "", "")
		log := `{"msg":"rgate serves","address":"127.0.0.1:1"}
no JSON
{"msg":"rgate answered by itself","request_id":"a","reason":"upstream_closed","endpoint":"c","suppressed":2}
`
		if err := os.WriteFile(g.log, []byte(log), 0o600); err != nil {
			s.Fatal(err)
		}
		if f := g.faults(); len(f) != 1 || f["a"] != (verdict.Fault{Reason: "upstream_closed", Endpoint: "c"}) {
			s.Errorf("%v", f)
		}
		if g.ready() != 0 || g.retries() != -1 {
			s.Errorf("nothing runs")
		}
	})
	if err != nil {
		t.Error(err)
	}
}
