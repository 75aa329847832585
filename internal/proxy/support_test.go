package proxy

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
	"rgate/internal/route"
)

// fields is a request's header for tests.
type fields map[string][]string

func (f fields) Get(name string) []byte {
	if v := f[name]; len(v) > 0 {
		return []byte(v[0])
	}
	return nil
}

func (f fields) Join(dst []byte, name string) []byte {
	return append(dst, strings.Join(f[name], ", ")...)
}

func (f fields) Has(name string) bool { return len(f[name]) > 0 }

func (f fields) Count(name string) int { return len(f[name]) }

func (f fields) Is(name, value string) bool { return f.Has(name) && string(f.Join(nil, name)) == value }

func (f fields) Cookie(name string) []byte {
	for _, v := range f["Cookie"] {
		if value := Cookie([]byte(v), name); value != nil {
			return value
		}
	}
	return nil
}

func (f fields) Via(pseudonym []byte) bool {
	return bytes.Contains(f.Join(nil, "Via"), pseudonym)
}

// gateOf is a gate for a whole configuration text.
func gateOf(t testing.TB, text string) (*Gate, *ends.Log) {
	t.Helper()
	cfg, err := config.Parse("config.yml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	book := &ends.Log{}
	return NewGate(route.Build(cfg, nil, nil), slog.New(slog.NewTextHandler(book, nil))), book
}

const two = `
routes: [{path_prefix: /api, backend: b}]
backends: [{name: b, endpoints: ["10.0.0.1:80", "10.0.0.2:80"]}]
`

const one = `
routes: [{path_prefix: /api, backend: b}]
backends: [{name: b, endpoints: ["10.0.0.1:80"]}]
`

func request(method, target string) *Exchange {
	return &Exchange{
		Method: []byte(method), Target: []byte(target), Host: []byte("shop.example"), Header: fields{},
		Peer: netip.MustParseAddr("192.0.2.7"), Start: time.Now(),
	}
}

// suspend starts x's job; what it returns is closed once that is woken.
func suspend(x *Exchange) chan struct{} {
	woken := make(chan struct{})
	x.Job.Start(&Term{}, func() { close(woken) })
	return woken
}

// balanced fails where anything still counts as in flight.
func balanced(t testing.TB, g *Gate) {
	t.Helper()
	table := g.Table()
	for _, r := range table.Routes {
		if n := r.Targets[0].Stats.InFlight(); n != 0 {
			t.Errorf("route %s: %d in flight", r.Prefix, n)
		}
	}
	for _, e := range table.Endpoints() {
		if e.InFlight() != 0 || e.Stats.InFlight() != 0 {
			t.Errorf("endpoint %s: %d and %d in flight", e.Name, e.InFlight(), e.Stats.InFlight())
		}
	}
	if n := table.Unmatched.InFlight(); n != 0 {
		t.Errorf("unmatched: %d in flight", n)
	}
}
