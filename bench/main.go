//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"rgate/bench/internal/report"
	"rgate/internal/trial"
)

// settings are what the command line says.
type settings struct {
	rounds   int
	seconds  float64
	quick    bool
	only     string
	engines  string
	loops    int
	rgate    string
	caddy    bool
	idle     int
	nice     int
	json     string
	markdown string
}

func main() { trial.Main("bench", run) }

func run(args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 { // the bench's own children
		switch args[0] {
		case "load":
			return loadMain(os.Stdin, stdout)
		case "origin":
			return originMain(os.Stdin, stdout)
		}
	}
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if s.markdown != "" {
		var r report.Run
		if err := trial.Kept(s.markdown, &r); err != nil {
			return err
		}
		r.Markdown(stdout)
		return nil
	}
	scenarios, err := s.scenarios()
	if err != nil {
		return err
	}
	// Not for the children: a signal ends them as it ends any program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return bench(ctx, s, scenarios, strings.Join(append([]string{"go run ./bench"}, args...), " "), stdout)
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.IntVar(&s.rounds, "rounds", 5, "interleaved rounds of each scenario")
	f.Float64Var(&s.seconds, "seconds", 0.6, "length of one measurement")
	f.BoolVar(&s.quick, "quick", false, "one short round: whether it works, not how fast")
	f.StringVar(&s.only, "only", "", "run only the scenarios whose names match this expression")
	f.StringVar(&s.engines, "engines", "standard,loop", "engines of rgate; none if empty")
	f.IntVar(&s.loops, "loops", 1, "measure rgate with so many loops on its one processor, too, all under SCHED_BATCH")
	f.StringVar(&s.rgate, "rgate", "", "measure this binary, or these with commas between, instead of building ./cmd/rgate")
	f.BoolVar(&s.caddy, "caddy", false, "install Caddy with go install, and measure it too")
	f.IntVar(&s.idle, "idle", 9000, "idle connections of the scenario idle")
	f.IntVar(&s.nice, "nice", 0, "priority of all that is measured or measures; negative wants root")
	f.StringVar(&s.json, "json", ".cache/bench.json", "where the figures go; none if empty")
	f.StringVar(&s.markdown, "markdown", "", "print the tables of docs/performance.md from this JSON file, and measure nothing")
	if err := trial.Parse(f, args, stderr); err != nil {
		return s, err
	}
	if s.rounds < 1 || s.seconds <= 0 {
		return s, errors.New("rounds and seconds have to be above 0")
	}
	if s.quick {
		s.rounds, s.seconds, s.idle = 1, 0.2, min(s.idle, 500)
	}
	return s, nil
}

func (s settings) scenarios() ([]scenario, error) {
	return trial.Only(s.only, "scenario", allScenarios(s.idle), func(one scenario) string { return one.Name })
}

func (s settings) duration() time.Duration { return time.Duration(s.seconds * float64(time.Second)) }
