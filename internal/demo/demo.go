package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"rgate/internal/config"
	"rgate/internal/gateway"
)

// Options say how to show it.
type Options struct {
	Port     int          // to serve on; 0 for 8080; another free one where it is taken
	Stdout   io.Writer    // what the user reads
	Terminal bool         // Stdout is a terminal: the summary is redrawn in place
	Log      *slog.Logger // of the gateway; nil for none
	Binary   string       // static rgate to make the image of; "" for the running one

	// Plain makes text from outside, such as an engine's errors, fit to be
	// shown; nil shows it as it is.
	Plain func(string) string
}

// Run shows the demo until ctx ends. What it made is gone when it returns.
func Run(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Port == 0 {
		o.Port = 8080
	}
	if o.Plain == nil {
		o.Plain = func(text string) string { return text }
	}
	l, err := takeLease()
	if err != nil {
		return err
	}
	defer l.drop()
	s, err := setStage(ctx, o, l.id)
	if ctx.Err() != nil {
		if s != nil {
			s.clear()
		}
		return nil // the user changed their mind
	}
	if err != nil {
		return err
	}
	defer s.clear()
	g, err := open(o, s.config)
	if err != nil {
		return err
	}
	return serve(ctx, o, s, g)
}

// open opens a gateway for this machine alone: a demo is nothing for the
// network it happens to be in.
func open(o Options, cfg *config.Config) (*gateway.Gateway, error) {
	listen := func(port int) (*gateway.Gateway, error) {
		return gateway.New(gateway.Options{Config: cfg, Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Log: o.Log})
	}
	g, err := listen(o.Port)
	if errors.Is(err, syscall.EADDRINUSE) {
		fmt.Fprintf(o.Stdout, "Port %d is taken, so this takes another.\n", o.Port)
		return listen(0)
	}
	return g, err
}

func serve(ctx context.Context, o Options, s *stage, g *gateway.Gateway) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	if !awaitBackends(ctx, g) && ctx.Err() == nil {
		fmt.Fprintln(o.Stdout, "Not every backend answers yet; run it with --verbose to see why.")
	}
	if ctx.Err() == nil {
		introduce(o.Stdout, g.Addr().String(), s)
	}
	err, failed := summarise(ctx, o, g, ended)
	if failed {
		return err
	}
	stop()
	return <-ended
}

// awaitBackends tells whether the whole cast was found in reasonable time.
func awaitBackends(ctx context.Context, g *gateway.Gateway) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for len(g.Table().Endpoints()) < len(cast) {
		select {
		case <-ctx.Done():
			return false
		case <-look.C:
		}
	}
	return true
}

func introduce(out io.Writer, addr string, s *stage) {
	fmt.Fprintf(out, `
rgate serves http://%[1]s with this config:

%[2]s
Try, in another terminal:

    curl http://%[1]s/api/payment/7
    curl http://%[1]s/api/orders
    curl -i http://%[1]s/elsewhere
    curl http://%[1]s/stats
`, addr, indent(configText))
	for _, command := range s.tries {
		fmt.Fprintf(out, "    %s\n", command)
	}
	fmt.Fprint(out, "\nCtrl-C ends the demo and removes all that it made.\n\n")
}

func indent(text []byte) string {
	var b []byte
	for line := range bytes.Lines(text) {
		b = append(append(b, "    "...), line...)
	}
	return string(b)
}
