//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"rgate/internal/trial"
	"rgate/soak/internal/report"
)

// settings are what the command line says.
type settings struct {
	seconds  float64
	rate     float64
	only     string
	engines  string
	compare  bool
	json     string
	keep     string
	markdown string
}

func main() { trial.Main("soak", run) }

func run(args []string, stdout, stderr io.Writer) error {
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return soak(ctx, s, strings.Join(append([]string{"go run ./soak"}, args...), " "), stdout)
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.Float64Var(&s.seconds, "seconds", 8, "seconds of load per scenario, at least; what happens in it may take longer")
	f.Float64Var(&s.rate, "rate", 200, "requests a second")
	f.StringVar(&s.only, "only", "", "only scenarios whose name matches this regular expression")
	f.StringVar(&s.engines, "engines", "standard,loop", "rgate's engines to play with")
	f.BoolVar(&s.compare, "compare", false, "play the deploys alone, with nginx and Caddy too, and fail for nothing that is lost")
	f.StringVar(&s.json, "json", "", "where the figures go (default .cache/soak.json, .cache/deploys.json with -compare)")
	f.StringVar(&s.keep, "keep", "", "directory to keep the gateways' configurations and logs in")
	f.StringVar(&s.markdown, "markdown", "", "print the table of docs/performance.md from this JSON file, and play nothing")
	if err := trial.Parse(f, args, stderr); err != nil {
		return s, err
	}
	if s.rate <= 0 || s.seconds <= 0 {
		return s, errors.New("rate and seconds have to be above 0")
	}
	if s.json == "" {
		s.json = ".cache/soak.json"
		if s.compare {
			s.json = ".cache/deploys.json"
		}
	}
	return s, nil
}

func (s settings) scenarios() ([]scenario, error) {
	all := slices.DeleteFunc(allScenarios(), func(one scenario) bool { return s.compare && !one.deploy })
	return trial.Only(s.only, "scenario", all, func(one scenario) string { return one.name })
}
