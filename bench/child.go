//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"rgate/bench/internal/load"
	"rgate/bench/internal/origin"
	"rgate/bench/internal/peer"
)

// The load and the origin run as processes of their own, started from this
// same binary, and end with their standard input at the latest.

// order is what a load process is told, as one line of JSON on its input.
type order struct {
	load.Options
	PIDs []int // whose processor time to read
	Hold bool  // hold idle connections until the input ends
}

// loadMain is the load process.
func loadMain(stdin io.Reader, stdout io.Writer) error {
	runtime.LockOSThread()
	in := bufio.NewReader(stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("cannot read the order: %w", err)
	}
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return fmt.Errorf("cannot read the order: %w", err)
	}
	if o.Hold {
		return holdMain(o, in, stdout)
	}
	if len(o.PIDs) > 0 {
		o.Clock = func() (time.Duration, error) { return peer.CPU(o.PIDs) }
	}
	result, err := load.Run(o.Options)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(result)
}

func holdMain(o order, in io.Reader, stdout io.Writer) error {
	held, err := load.Hold(o.Options)
	if err != nil {
		return err
	}
	defer held.Release()
	fmt.Fprintln(stdout, "held")
	_, _ = io.Copy(io.Discard, in)
	fmt.Fprintln(stdout, held.Closed())
	return nil
}

// originMain is the origin process.
func originMain(stdin io.Reader, stdout io.Writer) error {
	runtime.LockOSThread()
	s, err := origin.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, s.Address)
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		close(stop)
	}()
	return s.Serve(stop)
}

// child is one of those processes, as its starter sees it.
type child struct {
	cmd    *exec.Cmd
	input  io.WriteCloser
	output *bufio.Reader
	errors bytes.Buffer
}

func startChild(ctx context.Context, at peer.Place, role string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find the bench's own binary: %w", err)
	}
	c := &child{cmd: at.Command(self, role)}
	// No garbage is made while it measures; the collector has nothing to do.
	c.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off")
	c.cmd.Stderr = &c.errors
	if c.input, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("cannot start the %s: %w", role, err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot start the %s: %w", role, err)
	}
	c.output = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the %s: %w", role, err)
	}
	// Ends the child, and with it every read from it, when the bench is to end.
	context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	return c, nil
}

// line is the next line that the child says.
func (c *child) line() (string, error) {
	line, err := c.output.ReadString('\n')
	if err != nil {
		c.end()
		return "", fmt.Errorf("%s", strings.TrimSpace(c.errors.String()))
	}
	return strings.TrimSpace(line), nil
}

func (c *child) end() {
	c.input.Close()
	_ = c.cmd.Wait() // what it had to say is read by then
}

// tell gives a load process its order.
func (c *child) tell(o order) error {
	text, err := json.Marshal(o)
	if err == nil {
		_, err = c.input.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("cannot give the order: %w", err)
	}
	return nil
}

// generate runs one load process from its order to its result.
func generate(ctx context.Context, at peer.Place, o order) (load.Result, error) {
	var result load.Result
	c, err := startChild(ctx, at, "load")
	if err != nil {
		return result, err
	}
	if err := c.tell(o); err != nil {
		c.end()
		return result, err
	}
	line, err := c.line()
	if err != nil {
		return result, err
	}
	c.end()
	if err := json.Unmarshal([]byte(line), &result); err != nil {
		return result, fmt.Errorf("cannot read the result: %w", err)
	}
	return result, nil
}
