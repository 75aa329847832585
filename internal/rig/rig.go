//go:build linux

package rig

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/loop"
	"rgate/internal/proxy"
	"rgate/internal/route"
	"rgate/internal/standard"
	"rgate/internal/upstream"
)

// Engines are the kinds that Start knows.
var Engines = []string{config.EngineLoop, config.EngineStandard}

// Rig is an engine that serves.
type Rig struct {
	Addr string
	Gate *proxy.Gate

	said    config.Listener // what all listeners are like
	over    *listen.TLS     // nil for plain HTTP
	engines []engine
	drains  sync.WaitGroup
	ended   chan struct{}
}

// engine is what both engines are.
type engine interface {
	Serve(...*listen.Listener) error
	Shutdown(context.Context, time.Duration) error
	Open(*listen.Listener) error
	Drain(*listen.Listener, time.Duration)
	Cut(*listen.Listener)
	Forget(*upstream.Endpoint)
}

// Start serves / from endpoints, with an engine of that kind, or on one of the
// Ways, until the test ends. change, if any, gets at the configuration.
func Start(t testing.TB, kind string, change func(*config.Config), endpoints ...string) *Rig {
	t.Helper()
	cfg := config.Default()
	cfg.Timeouts.Connect = 20 * time.Second // on a busy machine even loopback takes its time
	cfg.Backends = []config.Backend{{Name: "b", Scheme: "http", Address: "auto", Endpoints: endpoints, Traffic: cfg.Traffic}}
	cfg.Routes = []config.Route{{PathPrefix: "/", Backend: "b", Match: config.MatchLiteral}}
	if change != nil {
		change(cfg)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})) // what is logged is made, as where somebody reads it
	gate := proxy.NewGate(route.Build(cfg, nil, nil), log)
	gate.Inform(func(*proxy.Exchange) *proxy.Answer {
		return &proxy.Answer{Status: http.StatusOK, ContentType: "text/plain", Body: []byte("statistics")}
	})
	l := socket(t)
	r := &Rig{Addr: l.Addr().String(), Gate: gate, ended: make(chan struct{})}
	kind, r.said, r.over = way(t, kind)
	defer t.Cleanup(func() { close(r.ended); r.drains.Wait() }) // while the engines still serve
	std := standard.New(standard.Options{Gate: gate, Log: log})
	if kind == config.EngineStandard {
		r.serve(t, std, r.listener(t, l))
		return r
	}
	handed := loop.NewHanded(l.Addr())
	e, err := loop.New(loop.Options{Gate: gate, Log: log, Loops: 1, HandOver: handed.Give, MakeRoom: std.MakeRoom})
	if err != nil {
		t.Fatal(err)
	}
	r.serve(t, std, listen.New(handed, config.Listener{}))
	r.serve(t, e, r.listener(t, l))
	return r
}

func (r *Rig) serve(t testing.TB, e engine, l *listen.Listener) {
	r.engines = append(r.engines, e)
	served := make(chan error, 1)
	go func() { served <- e.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = e.Shutdown(ctx, 0)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// End cuts all that is under way.
func (r *Rig) End() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, e := range slices.Backward(r.engines) { // the loop may hand over until its end
		_ = e.Shutdown(ctx, 0)
	}
}
