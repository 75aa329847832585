package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/discovery"
)

// fakeSource emits what a test gives it.
type fakeSource struct {
	views chan discovery.View

	mu        sync.Mutex
	selectors []discovery.Selector
}

func newFakeSource() *fakeSource { return &fakeSource{views: make(chan discovery.View)} }

func (s *fakeSource) Watch(ctx context.Context, emit func(discovery.View)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case v := <-s.views:
			emit(v)
		}
	}
}

func (s *fakeSource) Select(selectors []discovery.Selector) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.selectors = selectors
}

func (s *fakeSource) selected() []discovery.Selector {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.selectors
}

// logBook keeps what was logged.
type logBook struct {
	mu   sync.Mutex
	text []byte
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	return len(p), nil
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}

// running is a gateway that serves for the length of a test.
type running struct {
	*Gateway
	t    *testing.T
	file string
	log  *logBook
	stop func() error // ends it and waits
}

func start(t *testing.T, text string, source Source) *running {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, Options{File: file, Config: cfg, Source: source, Poll: 10 * time.Millisecond}, nil)
}

// run runs a gateway of o, on which change was let loose before.
func run(t *testing.T, o Options, change func(*Gateway)) *running {
	t.Helper()
	r := &running{t: t, file: o.File, log: &logBook{}}
	o.Listen, o.Log = "127.0.0.1:0", newLog(r.log)
	if o.Socket == "" {
		o.Socket = filepath.Join(t.TempDir(), "admin.sock")
	}
	if o.Source == nil {
		o.Source = newFakeSource()
	}
	var err error
	if r.Gateway, err = New(o); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r.Gateway)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return r
}

func parsed(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("config.yml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func (r *running) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) get(path string) (int, string) {
	r.t.Helper()
	response, err := http.Get("http://" + r.Addr().String() + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// command asks the admin socket.
func (r *running) command(method, target string) (int, string) {
	r.t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", r.adminSocket().Addr().String())
	}}
	request, err := http.NewRequest(method, "http://rgate"+target, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// patience is how long what must come is waited for, on however busy a machine.
const patience = 30 * time.Second

// until waits for something that another goroutine brings about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("did not come about in %v: %s", patience, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// backend is a server that answers with its name.
func backend(t *testing.T, name string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name) }))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func staticConfig(address string) string {
	return fmt.Sprintf("routes:\n  - {path_prefix: /, backend: only}\nbackends:\n  - {name: only, endpoints: [\"%s\"]}\n", address)
}

func newLog(b *logBook) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
