//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/enginetest"
	"rgate/internal/trial"
	"rgate/soak/internal/report"
)

// contestant is a gateway that takes part.
type contestant struct {
	name string
	open func(*play) *gateway // starts it on what is on the stage
}

// soak plays all scenarios with each contestant and prints each as it ends.
func soak(ctx context.Context, o settings, command string, stdout io.Writer) error {
	list, err := o.scenarios()
	if err != nil {
		return err
	}
	turn, err := trial.Alone("soak")
	if err != nil {
		return err
	}
	defer turn.Close()
	dir, err := os.MkdirTemp("", "rgate-soak-")
	if err != nil {
		return fmt.Errorf("cannot make a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	run := &report.Run{Time: time.Now().Round(time.Second), Command: command, Machine: machine(), Rate: o.rate}
	run.Header(stdout)
	err = perform(ctx, dir, stdout, func(s *stage) {
		house := newHouse(s, o)
		for _, one := range list {
			for _, c := range house.contestants {
				row := house.play(ctx, one, c)
				row.Line(stdout)
				run.Rows = append(run.Rows, row)
				if ctx.Err() != nil {
					s.Fatal(context.Cause(ctx))
				}
			}
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout)
	run.Table(stdout)
	if err := trial.Keep(o.json, run); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nThe figures are in %s; -markdown %s prints the table of docs/performance.md.\n", o.json, o.json)
	if n := run.Bad(); n > 0 && !o.compare {
		return fmt.Errorf("requests were lost without need, or a scenario was broken off, in %d of %d", n, len(run.Rows))
	}
	return nil
}

// house is what all plays share.
type house struct {
	settings
	*stage
	binary      string // of rgate
	engine      *enginetest.Engine
	image       string
	contestants []contestant
}

func newHouse(s *stage, o settings) *house {
	h := &house{settings: o, stage: s, binary: filepath.Join(s.dir, "rgate")}
	if err := trial.Build(s.ctx, h.binary); err != nil {
		s.Fatal(err)
	}
	h.engine = enginetest.Machine(s)
	h.image = h.engine.Build(s, enginetest.Image{})
	for name := range strings.SplitSeq(o.engines, ",") {
		h.contestants = append(h.contestants, contestant{"rgate " + name, func(p *play) *gateway { return p.openRgate(name) }})
	}
	if o.compare {
		h.contestants = append(h.contestants, nginx(s), caddy(s, ""), caddy(s, "5s"))
	}
	return h
}

// machine is a line on where this runs.
func machine() string {
	var u unix.Utsname
	_ = unix.Uname(&u) // an empty name is no trouble
	return fmt.Sprintf("%d CPUs, Linux %s, %s", runtime.NumCPU(), unix.ByteSliceToString(u.Release[:]), runtime.Version())
}
