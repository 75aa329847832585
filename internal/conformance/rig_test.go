//go:build linux

package conformance

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rgate/internal/config"
	"rgate/internal/loop"
	"rgate/internal/proxy"
	"rgate/internal/route"
	"rgate/internal/standard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine is what both engines are.
type engine interface {
	Serve(net.Listener) error
	Shutdown(context.Context, time.Duration) error
}

// start serves / from endpoint until the test ends, and returns the address.
func start(t *testing.T, kind, endpoint string) string {
	t.Helper()
	cfg := config.Default()
	cfg.Backends = []config.Backend{{Name: "b", Scheme: "http", Address: "auto", Endpoints: []string{endpoint}, Traffic: cfg.Traffic}}
	cfg.Routes = []config.Route{{PathPrefix: "/", Backend: "b", Match: config.MatchLiteral}}
	log := slog.New(slog.DiscardHandler)
	gate := proxy.NewGate(route.Build(cfg, nil, nil), log)
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "statistics") })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	std := standard.New(standard.Options{Gate: gate, Config: cfg, Log: log, Inform: page})
	if kind == config.EngineStandard {
		serve(t, std, l)
		return l.Addr().String()
	}
	handed := loop.NewHanded(l.Addr())
	e, err := loop.New(loop.Options{Gate: gate, Log: log, Loops: 1, HandOver: handed.Give})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, std, handed)
	serve(t, e, l)
	return l.Addr().String()
}

func serve(t *testing.T, e engine, l net.Listener) {
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

// recorder is an endpoint that reads requests as net/http would, notes them,
// and sends a raw answer to each. An empty answer is a plain one.
type recorder struct {
	mu   sync.Mutex
	seen []string
	addr string
}

func record(t *testing.T, answer string) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{addr: l.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				r.converse(c, answer)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return r
}

func (r *recorder) converse(c net.Conn, answer string) {
	in := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		note := req.Method + " " + req.RequestURI + " " + string(body)
		if err != nil {
			note += " (incomplete)"
		}
		r.mu.Lock()
		r.seen = append(r.seen, note)
		r.mu.Unlock()
		if answer != "" {
			_, _ = io.WriteString(c, answer)
			return // an answer of the table's ends the connection
		}
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
			return
		}
	}
}

// complete are the requests that arrived whole.
func (r *recorder) complete() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, note := range r.seen {
		if !strings.HasSuffix(note, " (incomplete)") {
			all = append(all, note)
		}
	}
	return all
}

// exchange sends raw, ends the sending side only where nothing is answered,
// and returns what came until the connection ended.
func exchange(t *testing.T, addr, raw string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(c, raw)
	b, err := io.ReadAll(c)
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Errorf("the connection hangs after %q", b)
	}
	return string(b)
}

// statuses are the status codes of the answers in raw, in order.
func statuses(raw, method string) []int {
	var all []int
	r := bufio.NewReader(strings.NewReader(raw))
	for {
		res, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return all
		}
		all = append(all, res.StatusCode)
		_, _ = io.Copy(io.Discard, res.Body)
	}
}
