package standard

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/proxy"
	"rgate/internal/rig/ends"
	"rgate/internal/route"
)

// rig is an engine on a real socket, with routes to given endpoints.
type rig struct {
	*Engine
	t    testing.TB
	gate *proxy.Gate
	addr string
	logs *ends.Log
}

// start serves / from endpoints. change, if any, gets at the configuration.
func start(t testing.TB, change func(*config.Config), endpoints ...string) *rig {
	t.Helper()
	cfg := config.Default()
	cfg.Timeouts.Connect = 20 * time.Second // on a busy machine even loopback takes its time
	cfg.Limits.RequestsPerConnection = 0
	cfg.Backends = []config.Backend{{Name: "b", Scheme: "http", Address: "auto", Endpoints: endpoints, Traffic: cfg.Traffic}}
	cfg.Routes = []config.Route{{PathPrefix: "/", Backend: "b", Match: config.MatchLiteral}}
	if change != nil {
		change(cfg)
	}
	r := &rig{t: t, logs: &ends.Log{}}
	log := slog.New(slog.NewTextHandler(r.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.gate = proxy.NewGate(route.Build(cfg, nil, nil), log)
	r.gate.Inform(func(*proxy.Exchange) *proxy.Answer {
		return &proxy.Answer{Status: http.StatusOK, ContentType: "text/plain", Body: []byte("statistics")}
	})
	r.Engine = New(Options{Gate: r.gate, Log: log})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- r.Serve(listen.New(l, config.Listener{})) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_ = r.Shutdown(ctx, 0)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if t.Failed() {
			t.Log(r.logs.String())
		}
	})
	return r
}

// backend is an HTTP server, and its address.
var backend = ends.HTTP

// rawBackend hands each accepted connection, and how many were before it, to
// serve and closes it after.
func rawBackend(t *testing.T, serve func(n int, c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	var accepted atomic.Int64
	return ends.Talk(t, func(c net.Conn, r *bufio.Reader) { serve(int(accepted.Add(1)-1), c, r) })
}

var readHead = ends.ReadHead

const nowhere = ends.Nobody

// peer is a raw client connection.
type peer struct {
	net.Conn
	r *bufio.Reader
	t testing.TB
}

func (r *rig) dial() *peer {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	r.t.Cleanup(func() { c.Close() })
	return &peer{Conn: c, r: bufio.NewReader(c), t: r.t}
}

func (p *peer) say(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p, format, args...); err != nil {
		p.t.Fatal(err)
	}
}

// response reads a response and its body. The body is an error where it broke
// off.
func (p *peer) response(method string) (*http.Response, string) {
	p.t.Helper()
	res, err := http.ReadResponse(p.r, &http.Request{Method: method})
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return res, "error: " + err.Error()
	}
	return res, string(text)
}

// get sends one request line and fields on a connection of its own.
func (r *rig) get(line string, fields ...string) (*http.Response, string) {
	r.t.Helper()
	p := r.dial()
	p.say("%s HTTP/1.1\r\nHost: shop.example\r\n", line)
	for _, f := range fields {
		p.say("%s\r\n", f)
	}
	p.say("\r\n")
	method, _, _ := strings.Cut(line, " ")
	res, text := p.response(method)
	p.Close()
	return res, text
}

// eventually waits until ok, for what is recorded after a client has its
// answer.
func (r *rig) eventually(what string, ok func() bool) {
	r.t.Helper()
	ends.Until(r.t, what, ok)
}

// counted is how many latencies a class (2 for 2xx and so on) has.
func (r *rig) counted(class int) uint64 {
	return r.gate.Table().Total().Latencies[class-2].Count()
}
