package proxy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"rgate/internal/config"
)

// greeter has handshakes begin and end, and notes who got a place.
type greeter struct {
	Handshakes
	cfg    *config.Config
	all    map[string]*Handshake
	placed []string
}

func newGreeter(limit int) *greeter {
	cfg := &config.Config{Limits: config.Limits{Handshakes: limit}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	return &greeter{cfg: cfg, all: map[string]*Handshake{}}
}

func (g *greeter) begin(name, peer string) {
	one := &Handshake{}
	g.all[name] = one
	note := func() { g.placed = append(g.placed, name) }
	if g.Begin(one, netip.MustParseAddr(peer), g.cfg, note) {
		note()
	}
}

func (g *greeter) end(name string) { g.End(g.all[name]) }

// A peer holds no more than its share, and what it wants beyond that delays
// nobody else.
func TestHandshakesInTurn(t *testing.T) {
	g := newGreeter(64)
	for i := range 100 {
		g.begin(fmt.Sprint("flood ", i), "192.0.2.1")
	}
	if n := len(g.placed); n != 16 { // a quarter
		t.Errorf("one peer has %d places of 64", n)
	}
	for i := range 3 {
		for j := range 16 {
			g.begin(fmt.Sprint("other ", i, j), fmt.Sprint("192.0.2.", 2+i))
		}
	}
	if under, waiting := g.Size(); under != 64 || waiting != 84 {
		t.Fatalf("%d under way and %d waiting", under, waiting)
	}
	g.placed = nil
	g.begin("late", "192.0.2.9")
	for i := range 4 {
		g.end(fmt.Sprint("flood ", i))
	}
	if !slices.Contains(g.placed[:2], "late") || len(g.placed) != 4 || !slices.Contains(g.placed, "flood 16") {
		t.Errorf("four places go to %q", g.placed)
	}
}

func TestHandshakesOfTrustedPeersAndNetworks(t *testing.T) {
	g := newGreeter(100)
	for i := range 60 {
		g.begin(fmt.Sprint("proxy ", i), "10.0.0.1")
	}
	if len(g.placed) != 60 {
		t.Errorf("a trusted proxy has %d places", len(g.placed))
	}
	g.placed = nil
	for i := range 30 {
		g.begin(fmt.Sprint("net ", i), fmt.Sprintf("2001:db8::%x", i+1))
	}
	if len(g.placed) != 25 {
		t.Errorf("one IPv6 network has %d places", len(g.placed))
	}
}

func TestHandshakesWithoutLimit(t *testing.T) {
	g := newGreeter(0)
	for i := range 1000 {
		g.begin(fmt.Sprint(i), "192.0.2.1")
	}
	if len(g.placed) != 1000 {
		t.Errorf("%d places", len(g.placed))
	}
}

// A limit that a reload raises or lowers holds from the next handshake on, and
// whatever comes and goes, nothing is left over and nobody forgotten.
func TestHandshakesAtRandom(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		g := newGreeter(8)
		var names []string
		for i := range 400 {
			if r.IntN(20) == 0 {
				g.cfg = &config.Config{Limits: config.Limits{Handshakes: r.IntN(12)}}
			}
			if len(names) == 0 || r.IntN(2) == 0 {
				name := fmt.Sprint(i)
				names = append(names, name)
				g.begin(name, fmt.Sprint("192.0.2.", r.IntN(4)))
			} else {
				at := r.IntN(len(names))
				g.end(names[at])
				g.end(names[at]) // it does not matter
				names = slices.Delete(names, at, at+1)
			}
			if under, waiting := g.Size(); under+waiting != len(names) || waiting > 0 && g.limit == 0 {
				t.Fatalf("seed %d: %d under way, %d waiting, of %d with a limit of %d", seed, under, waiting, len(names), g.limit)
			}
		}
		for _, name := range names {
			g.end(name)
		}
		if under, waiting := g.Size(); under+waiting+g.turns.Len()+len(g.peers) != 0 {
			t.Fatalf("seed %d: left: %d, %d, %d turns, %d peers", seed, under, waiting, g.turns.Len(), len(g.peers))
		}
	}
}
