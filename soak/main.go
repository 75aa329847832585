//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

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

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if s.markdown != "" {
		r, err := report.Read(s.markdown)
		if err != nil {
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
	f.SetOutput(stderr)
	f.Float64Var(&s.seconds, "seconds", 8, "seconds of load per scenario, at least; what happens in it may take longer")
	f.Float64Var(&s.rate, "rate", 200, "requests a second")
	f.StringVar(&s.only, "only", "", "only scenarios whose name matches this regular expression")
	f.StringVar(&s.engines, "engines", "standard,loop", "rgate's engines to play with")
	f.BoolVar(&s.compare, "compare", false, "play the deploys alone, with nginx and Caddy too, and fail for nothing that is lost")
	f.StringVar(&s.json, "json", "", "where the figures go (default .cache/soak.json, .cache/deploys.json with -compare)")
	f.StringVar(&s.keep, "keep", "", "directory to keep the gateways' configurations and logs in")
	f.StringVar(&s.markdown, "markdown", "", "print the README's table from this JSON file, and play nothing")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("cannot use the argument %q", f.Arg(0))
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
	only, err := regexp.Compile(s.only)
	if err != nil {
		return nil, fmt.Errorf("cannot use -only: %w", err)
	}
	var list []scenario
	for _, one := range allScenarios() {
		if only.MatchString(one.name) && (one.deploy || !s.compare) {
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no scenario is called %s", s.only)
	}
	return list, nil
}
