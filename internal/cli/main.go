package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"rgate/internal/config"
)

// The exit codes.
const (
	exitOK    = 0
	exitFault = 1 // failed at run time
	exitUsage = 2 // bad usage or configuration
)

// Process is what a command sees of the process it runs in.
type Process struct {
	Stdout, Stderr io.Writer
	Env            func(name string) (string, bool)
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// reported is an error that the user has been told of, with its exit code.
type reported struct{ code int }

func (r reported) Error() string { return "reported" }

// Main runs the command that args name and returns the exit code. Servers run
// until ctx ends or a signal comes.
func Main(ctx context.Context, args []string, p Process) int {
	if p.Env == nil {
		p.Env = os.LookupEnv
	}
	root := newRoot(p)
	root.SetArgs(args)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	return p.report(root.ExecuteContext(ctx))
}

// report tells the user of err and picks the exit code.
func (p Process) report(err error) int {
	var problems *config.Problems
	var usage usageError
	var done reported
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &done):
		return done.code
	case errors.As(err, &problems):
		p.showProblems(problems)
		return exitUsage
	case errors.As(err, &usage):
		_ = say(p.Stderr, "rgate: %s\n", plainLines(err.Error()))
		return exitUsage
	}
	_ = say(p.Stderr, "rgate: %s\n", plainLines(err.Error()))
	return exitFault
}

// showProblems draws the problems of a file. A file may come from others too:
// where it holds what a terminal would obey, it is shown escaped, and without
// colours, which are made of the same.
func (p Process) showProblems(problems *config.Problems) {
	var text strings.Builder
	_ = problems.Render(&text, false)
	lines := strings.SplitAfter(text.String(), "\n")
	safe := true
	for i, line := range lines {
		bare, ended := strings.CutSuffix(line, "\n")
		lines[i] = plain(bare)
		safe = safe && lines[i] == bare
		if ended {
			lines[i] += "\n"
		}
	}
	if safe {
		_ = problems.Render(p.Stderr, p.colour(p.Stderr))
		return
	}
	_ = say(p.Stderr, "%s", ink(strings.Join(lines, "")))
}

// load reads the configuration; every error of it is the user's to mend.
func (p Process) load(file string) (*config.Config, error) {
	cfg, err := config.Load(file, p.Env)
	var problems *config.Problems
	if err != nil && !errors.As(err, &problems) {
		return nil, usageError{err}
	}
	return cfg, err
}
