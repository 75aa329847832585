//go:build linux

package loop

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/proxy"
	"rgate/internal/rig/ends"
	"rgate/internal/route"
)

// gate is a served engine in front of endpoints.
type gate struct {
	t      *testing.T
	addr   string
	table  *route.Table
	engine *Engine
}

// start serves the endpoints under "/" until the test ends.
func start(t *testing.T, change func(*config.Config, *Options), endpoints ...string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, l, change, endpoints...)
}

// startOn does so from l.
func startOn(t *testing.T, l net.Listener, change func(*config.Config, *Options), endpoints ...string) *gate {
	t.Helper()
	cfg := config.Default()
	cfg.Timeouts.Connect = 20 * time.Second // on a busy machine even loopback takes its time
	cfg.Backends = []config.Backend{{Name: "b", Scheme: "http", Endpoints: endpoints, Traffic: cfg.Traffic}}
	cfg.Routes = []config.Route{{PathPrefix: "/", Backend: "b", Match: config.MatchLiteral}}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	o := Options{Gate: proxy.NewGate(route.Build(config.Default(), nil, nil), log), Log: log, Loops: 1}
	if change != nil {
		change(cfg, &o)
	}
	table := route.Build(cfg, nil, nil)
	o.Gate.Swap(table)
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- e.Serve(listen.New(l, config.Listener{})) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = e.Shutdown(ctx, 0)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := e.crowd.Size(); n != 0 {
			t.Errorf("%d connections are still counted", n)
		}
	})
	return &gate{t: t, addr: l.Addr().String(), table: table, engine: e}
}

// dial opens a client connection that fails the test instead of hanging.
func (g *gate) dial() net.Conn {
	g.t.Helper()
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	return c
}

// exchange sends raw bytes, half-closes nothing, and returns all that comes
// until the connection ends.
func (g *gate) exchange(raw string) string {
	g.t.Helper()
	c := g.dial()
	if _, err := io.WriteString(c, raw); err != nil {
		g.t.Fatal(err)
	}
	b, _ := io.ReadAll(c)
	_ = c.Close() // it is listened to until then
	return string(b)
}

// serve is an HTTP endpoint.
var serve = ends.HTTP

// raw is an endpoint that has talk speak with each connection, then closes it.
var raw = ends.Talk

// script is an endpoint that reads one request head per answer and sends the
// answers as they are, then closes. Every connection starts over.
func script(t *testing.T, answers ...string) string {
	t.Helper()
	return raw(t, func(c net.Conn, r *bufio.Reader) {
		for _, a := range answers {
			if readHead(r) == "" {
				return
			}
			if _, err := io.WriteString(c, a); err != nil {
				return
			}
		}
	})
}

var readHead = ends.ReadHead
