package proxy

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"rgate/internal/upstream"
)

// bare is a header without fields, which allocates nothing.
type bare struct{}

func (*bare) Get(string) []byte                { return nil }
func (*bare) Join(dst []byte, _ string) []byte { return dst }
func (*bare) Has(string) bool                  { return false }
func (*bare) Is(string, string) bool           { return false }
func (*bare) Count(string) int                 { return 0 }
func (*bare) Cookie(string) []byte             { return nil }
func (*bare) Via([]byte) bool                  { return false }

// The decisions on a plain request allocate nothing.
func TestThePlainPathAllocatesNothing(t *testing.T) {
	g, _ := gateOf(t, two)
	x := &Exchange{}
	method, target, host, header := []byte("GET"), []byte("/api/x"), []byte("h"), &bare{}
	client, now := netip.MustParseAddr("192.0.2.7"), time.Now()
	once := func() {
		x.Reset()
		x.Method, x.Target, x.Host, x.Header, x.Peer, x.Start = method, target, host, header, client, now
		if g.Begin(x) != Forward || x.Next(upstream.None, now) == nil {
			t.Fatal("not forwarded")
		}
		x.Head(200)
		x.End(upstream.Answered, now)
	}
	once()
	if n := testing.AllocsPerRun(1000, once); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Nor do those of a policy.
func TestPoliciesAllocateNothing(t *testing.T) {
	g, _ := gateOf(t, strings.Replace(two, "backend: b}", "backend: b, ip: {allow: [192.0.2.0/24], deny: [192.0.2.8]}}", 1))
	x := &Exchange{}
	method, target, host, header := []byte("GET"), []byte("/api/x"), []byte("h"), &bare{}
	now := time.Now()
	for client, want := range map[string]Verdict{"192.0.2.7": Forward, "192.0.2.8": Reply, "198.51.100.1": Reply} {
		peer := netip.MustParseAddr(client)
		once := func() {
			x.Reset()
			x.Method, x.Target, x.Host, x.Header, x.Peer, x.Start = method, target, host, header, peer, now
			if g.Begin(x) != want || want == Reply && x.Answer.Status != 403 {
				t.Fatalf("%s: told %+v", client, x.Answer)
			}
			x.End(upstream.Canceled, now)
		}
		once()
		if n := testing.AllocsPerRun(1000, once); n != 0 {
			t.Errorf("%s: %v allocations", client, n)
		}
	}
	balanced(t, g)
}

// Nor does the answer to what no route takes, which strangers can ask for as
// often as they like.
func TestUnmatchedRequestsAllocateNothing(t *testing.T) {
	g, _ := gateOf(t, two)
	x := &Exchange{}
	method, target, host, header := []byte("GET"), []byte("/nothing"), []byte("h"), &bare{}
	client, now := netip.MustParseAddr("192.0.2.7"), time.Now()
	once := func() {
		x.Reset()
		x.Method, x.Target, x.Host, x.Header, x.Peer, x.Start = method, target, host, header, client, now
		if g.Begin(x) != Reply || x.Answer.Status != 404 || len(x.Answer.Body) == 0 {
			t.Fatal("not answered")
		}
		x.End(upstream.None, now)
	}
	once()
	if n := testing.AllocsPerRun(1000, once); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
