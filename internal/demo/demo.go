package demo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"rgate/internal/authority"
	"rgate/internal/config"
	"rgate/internal/gateway"
)

// Options say how to show it.
type Options struct {
	Port     int          // to serve on; 0 for 8080; another free one where it is taken
	TLSPort  int          // to serve HTTPS on; 0 for 8443; another free one where it is taken
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
	o.Port, o.TLSPort = cmp.Or(o.Port, 8080), cmp.Or(o.TLSPort, 8443)
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
	defer func() { s.clear() }() // which grows
	root, err := s.certify()
	if err != nil {
		return err
	}
	g, err := open(o, s.config, root)
	if err != nil {
		return err
	}
	return serve(ctx, o, s, g)
}

// open opens a gateway for this machine alone: a demo is nothing for the
// network it happens to be in.
func open(o Options, cfg *config.Config, root *authority.Authority) (*gateway.Gateway, error) {
	listen := func(port, secure int) (*gateway.Gateway, error) {
		said, err := config.Parse("demo.yml", withHTTPS(local(secure)), nil)
		if err != nil {
			return nil, fmt.Errorf("BUG: the demo's config is wrong: %w", err)
		}
		cfg.Listeners = said.Listeners
		return gateway.New(gateway.Options{Config: cfg, Listen: local(port), Authority: root, Log: o.Log})
	}
	g, err := listen(unlessTaken(o, o.Port), unlessTaken(o, o.TLSPort))
	if errors.Is(err, syscall.EADDRINUSE) { // only just now
		return listen(0, 0)
	}
	return g, err
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// unlessTaken is the port, or 0 for another where somebody has it.
func unlessTaken(o Options, port int) int {
	l, err := net.Listen("tcp", local(port))
	if errors.Is(err, syscall.EADDRINUSE) {
		fmt.Fprintf(o.Stdout, "Port %d is taken, so this takes another.\n", port)
		return 0
	}
	if err == nil {
		_ = l.Close()
	}
	return port
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
		introduce(o.Stdout, g, s)
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

// secureName is what the config calls the listener for HTTPS.
const secureName = "https"

// withHTTPS is the demo's config, which serves HTTPS at an address.
func withHTTPS(address string) []byte {
	return fmt.Appendf(configText[:len(configText):len(configText)], "listeners:\n  - name: %s\n    address: %q\n    tls: internal\n", secureName, address)
}

func introduce(out io.Writer, g *gateway.Gateway, s *stage) {
	addr, secure := g.Addr().String(), g.ListenerAddr(secureName).String()
	_, port, _ := net.SplitHostPort(secure)
	fmt.Fprintf(out, `
rgate serves http://%[1]s and https://localhost:%[2]s with this config:

%[3]s
Try, in another terminal:

    curl http://%[1]s/api/payment/7
    curl http://%[1]s/api/orders
    curl -i http://%[1]s/elsewhere
    curl http://%[1]s/stats

and the same by HTTPS, with a certificate that this demo vouches for:

    curl --cacert %[4]s https://localhost:%[2]s/api/payment/7
    curl --cacert %[4]s -i https://localhost:%[2]s/api/orders
`, addr, port, indent(withHTTPS(secure)), s.cacert)
	if len(s.tries) > 0 {
		fmt.Fprint(out, "\nand with the containers:\n\n")
	}
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
