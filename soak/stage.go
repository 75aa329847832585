//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"rgate/internal/enginetest"
)

// stage is where something is played: it plays the part of a test towards
// enginetest, and removes what was made when it is struck.
type stage struct {
	ctx      context.Context
	cancel   context.CancelFunc
	dir      string
	out      io.Writer
	cleanups []func()
	faults   []string
}

var _ enginetest.T = (*stage)(nil)

// setback is what Fatal panics with; perform catches it.
type setback string

// perform plays act on a new stage, strikes that, and answers why the act could
// not be played to its end.
func perform(ctx context.Context, dir string, out io.Writer, act func(*stage)) (err error) {
	s := &stage{dir: dir, out: out}
	s.ctx, s.cancel = context.WithCancel(ctx)
	defer func() {
		if len(s.faults) > 0 && err == nil {
			err = fmt.Errorf("%s", s.faults[0])
		}
	}()
	defer s.strike()
	defer func() {
		if r := recover(); r != nil {
			text, ours := r.(setback)
			if !ours {
				panic(r)
			}
			err = fmt.Errorf("%s", string(text))
		}
	}()
	act(s)
	return nil
}

func (s *stage) strike() {
	s.cancel()
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
}

// Helper is part of enginetest.T.
func (s *stage) Helper() {}

// Context is part of enginetest.T.
func (s *stage) Context() context.Context { return s.ctx }

// Cleanup is part of enginetest.T.
func (s *stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// TempDir is part of enginetest.T.
func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp(s.dir, "stage-")
	if err != nil {
		s.Fatal(err)
	}
	return dir
}

// Failed is part of enginetest.T; a container then tells what it wrote.
func (s *stage) Failed() bool { return len(s.faults) > 0 }

// Logf is part of enginetest.T.
func (s *stage) Logf(format string, args ...any) { fmt.Fprintf(s.out, "    "+format+"\n", args...) }

// Errorf is part of enginetest.T.
func (s *stage) Errorf(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// Fatal is part of enginetest.T.
func (s *stage) Fatal(args ...any) { panic(setback(fmt.Sprint(args...))) }

// Fatalf is part of enginetest.T.
func (s *stage) Fatalf(format string, args ...any) { panic(setback(fmt.Sprintf(format, args...))) }

// pause lets the load run for a while.
func (s *stage) pause(d time.Duration) {
	select {
	case <-s.ctx.Done():
		s.Fatal(context.Cause(s.ctx))
	case <-time.After(d):
	}
}

// until waits for what comes about by itself.
func (s *stage) until(what string, done func() bool) {
	const patience = time.Minute
	for deadline := time.Now().Add(patience); !done(); s.pause(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("did not come about in %v: %s", patience, what)
		}
	}
}
