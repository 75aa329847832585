//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"rgate/internal/install"
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

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
}

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
	f.SetOutput(stderr)
	f.Float64Var(&s.rate, "rate", 300, "requests of the well-behaved a second")
	f.Float64Var(&s.seconds, "seconds", 8, "seconds of each attack")
	f.Float64Var(&s.before, "before", 3, "seconds without an attack, before each")
	f.StringVar(&s.only, "only", "", "only attacks whose name matches this regular expression")
	f.StringVar(&s.engines, "engines", "loop,standard", "engines of rgate to attack")
	f.StringVar(&s.rgate, "rgate", "", "attack this binary instead of building ./cmd/rgate")
	f.BoolVar(&s.markdown, "markdown", false, "print the table as the README has it")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("cannot use the argument %q", f.Arg(0))
	}
	if s.rate <= 0 || s.seconds <= 0 || s.before <= 0 {
		return s, errors.New("rate, seconds and before have to be above 0")
	}
	return s, nil
}

func (s settings) attacks() ([]attack, error) {
	only, err := regexp.Compile(s.only)
	if err != nil {
		return nil, fmt.Errorf("cannot use -only: %w", err)
	}
	var list []attack
	for _, a := range allAttacks() {
		if only.MatchString(a.name) {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no attack is called %s", s.only)
	}
	return list, nil
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
		build := exec.CommandContext(ctx, "go", "build", "-o", s.rgate, "rgate/cmd/rgate")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("cannot build rgate: %w: %s", err, out)
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
