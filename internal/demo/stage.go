package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"rgate/internal/config"
)

//go:embed config.yml
var configText []byte

// cast is who plays: name of each backend process, and the app it belongs to.
var cast = []struct{ app, name string }{
	{"payment", "payment-1"}, {"payment", "payment-2"},
	{"orders", "orders-1"}, {"orders", "orders-2"},
}

// stage is what a demo serves, and how it goes away.
type stage struct {
	config *config.Config
	tries  []string // commands worth trying on this stage alone
	cacert string   // the file of the certificate to trust
	clear  func()
}

// setStage makes the backends: containers, else in this process. An error
// means that ctx ended, or that even the latter cannot be.
func setStage(ctx context.Context, o Options, id string) (*stage, error) {
	cfg, err := config.Parse("demo.yml", configText, nil)
	if err != nil {
		return nil, fmt.Errorf("BUG: the demo's config is wrong: %w", err)
	}
	s, err := containers(ctx, o, id, cfg)
	if err == nil || ctx.Err() != nil {
		return s, err
	}
	fmt.Fprintf(o.Stdout, "No containers: %v.\n*** Serving the same two backends from inside this process instead. Nothing below is a container. ***\n", o.Plain(err.Error()))
	return inProcess(ctx, cfg)
}

// containers runs the cast on the engine, after removing what crashed demos
// left there.
func containers(ctx context.Context, o Options, id string, cfg *config.Config) (*stage, error) {
	e, err := openEngine(ctx)
	if err != nil {
		return nil, err
	}
	s := &stage{config: cfg}
	s.clear = func() {
		defer func() { _ = e.Close() }()
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if err := e.sweep(bounded, id); err != nil {
			fmt.Fprintln(o.Stdout, o.Plain(err.Error()))
			return
		}
		fmt.Fprintln(o.Stdout, "Removed the demo's containers and image.")
	}
	if err := e.fill(ctx, o, id); err != nil {
		s.clear()
		return nil, err
	}
	first := containerName(id, cast[0].name)
	s.tries = []string{"docker ps --filter label=" + ownerLabel, "docker stop -t 1 " + first, "docker start " + first}
	return s, nil
}

func (e *engine) fill(ctx context.Context, o Options, id string) error {
	if err := e.sweepLeftovers(ctx, o.Stdout); err != nil {
		return err
	}
	path := o.Binary
	if path == "" {
		var err error
		if path, err = os.Executable(); err != nil {
			return fmt.Errorf("cannot find rgate's own binary: %w", err)
		}
	}
	binary, err := staticBinary(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Stdout, "Making an image of rgate itself and %d containers on the engine at %s\n", len(cast), o.Plain(e.host))
	image, err := e.build(ctx, id, binary)
	if err != nil {
		return err
	}
	failed := make([]error, len(cast))
	var starting sync.WaitGroup
	for i, c := range cast {
		starting.Go(func() { failed[i] = e.run(ctx, id, image, c.app, c.name) })
	}
	starting.Wait()
	return errors.Join(failed...)
}

func (e *engine) sweepLeftovers(ctx context.Context, out io.Writer) error {
	dead, err := e.leftovers(ctx)
	if err != nil {
		return err
	}
	for _, id := range dead {
		if err := e.sweep(ctx, id); err != nil {
			return err
		}
		fmt.Fprintf(out, "Removed what an earlier demo (%s) left.\n", id)
	}
	return nil
}

// inProcess runs the cast on loopback ports, which the config then names in
// place of the labels.
func inProcess(ctx context.Context, cfg *config.Config) (*stage, error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	s := &stage{config: cfg, clear: func() { cancel(); running.Wait() }}
	addrs := map[string][]string{}
	var failed []error
	for _, c := range cast {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			failed = append(failed, err)
			continue
		}
		addrs[c.app] = append(addrs[c.app], l.Addr().String())
		name := c.name + "-in-process"
		running.Go(func() { _ = serveBackend(ctx, name, l) })
	}
	if err := errors.Join(failed...); err != nil {
		s.clear()
		return nil, fmt.Errorf("cannot serve the demo's backends: %w", err)
	}
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		b.MatchLabels, b.Endpoints = nil, addrs[b.Name]
	}
	return s, nil
}
