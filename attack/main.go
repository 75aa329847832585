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
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"rgate/internal/install"
	"rgate/internal/trial"
)

// settings are what the command line says.
type settings struct {
	rate     float64
	seconds  float64
	before   float64
	only     string
	engines  string
	rgate    string
	markdown bool
}

func main() { trial.Main("attack", run) }

func run(args []string, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) > 0 && args[0] == crowdRole { // one of the attackers
		return crowdMain(ctx, args[1:], stdout)
	}
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	return s.play(ctx, stdout)
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("attack", flag.ContinueOnError)
	f.Float64Var(&s.rate, "rate", 300, "requests of the well-behaved a second")
	f.Float64Var(&s.seconds, "seconds", 8, "seconds of each attack")
	f.Float64Var(&s.before, "before", 3, "seconds without an attack, before each")
	f.StringVar(&s.only, "only", "", "only attacks whose name matches this regular expression")
	f.StringVar(&s.engines, "engines", "loop,standard", "engines of rgate to attack")
	f.StringVar(&s.rgate, "rgate", "", "attack this binary instead of building ./cmd/rgate")
	f.BoolVar(&s.markdown, "markdown", false, "print the table as docs/performance.md has it")
	if err := trial.Parse(f, args, stderr); err != nil {
		return s, err
	}
	if s.rate <= 0 || s.seconds <= 0 || s.before <= 0 {
		return s, errors.New("rate, seconds and before have to be above 0")
	}
	return s, nil
}

func (s settings) attacks() ([]attack, error) {
	return trial.Only(s.only, "attack", allAttacks(), func(a attack) string { return a.name })
}

// play plays each attack on each engine.
func (s settings) play(ctx context.Context, stdout io.Writer) error {
	list, err := s.attacks()
	if err != nil {
		return err
	}
	if err := install.Debian(tools(list)...); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rgate-attack-")
	if err != nil {
		return fmt.Errorf("cannot make a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	if s.rgate == "" {
		s.rgate = filepath.Join(dir, "rgate")
		if err := trial.Build(ctx, s.rgate); err != nil {
			return err
		}
	}
	origin, err := newOrigin()
	if err != nil {
		return err
	}
	defer origin.Close()
	t := table{settings: s, out: stdout}
	t.head()
	for _, a := range list {
		for engine := range strings.SplitSeq(s.engines, ",") {
			row, err := s.attack(ctx, a, engine, dir, origin.Addr())
			if err == nil && row.bad() { // the machine, which does other things too, may be to blame
				row, err = s.attack(ctx, a, engine, dir, origin.Addr())
				row.again = true
			}
			if err != nil {
				return fmt.Errorf("%s, %s: %w", a.title, engine, err)
			}
			t.row(row)
		}
	}
	t.foot()
	if t.bad > 0 {
		return fmt.Errorf("rgate gave way in %d of %d", t.bad, t.rows)
	}
	return nil
}

func span(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
