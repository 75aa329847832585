package proxy

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"rgate/internal/upstream"
)

func TestWhomATrustedProxyVouchesFor(t *testing.T) {
	f := func(peer string, sent fields, want string) {
		t.Helper()
		g, _ := gateOf(t, one+"trusted_proxies: [10.0.0.0/8, 'fd00::/8']\n")
		x := request("GET", "/api")
		x.Header, x.Peer = sent, netip.MustParseAddr(peer)
		g.Begin(x)
		if x.Client.String() != want || x.Peer.String() != peer {
			t.Errorf("%s with %v: client %v, peer %v", peer, sent, x.Client, x.Peer)
		}
		refused := &Exchange{Start: time.Now(), Peer: x.Peer, Header: sent}
		g.Refuse(refused, BadRequest("no"))
		if refused.Client != x.Client {
			t.Errorf("a refused request comes from %v", refused.Client)
		}
	}
	xff := func(v ...string) fields { return fields{"X-Forwarded-For": v} }
	fwd := func(v ...string) fields { return fields{"Forwarded": v} }
	f("192.0.2.7", xff("203.0.113.9"), "192.0.2.7") // nobody trusts it
	f("10.0.0.1", fields{}, "10.0.0.1")
	f("10.0.0.1", xff("203.0.113.9"), "203.0.113.9")
	f("fd00::1", xff("203.0.113.9"), "203.0.113.9")
	f("10.0.0.1", xff("198.51.100.1, 203.0.113.9"), "203.0.113.9") // the left one is hearsay
	f("10.0.0.1", xff("198.51.100.1", "203.0.113.9, 10.0.0.2", "fd00::7"), "203.0.113.9")
	f("10.0.0.1", xff("10.0.0.3, 10.0.0.2"), "10.0.0.3") // a client inside
	f("10.0.0.1", xff("203.0.113.9, , 10.0.0.2,"), "203.0.113.9")
	f("10.0.0.1", xff("203.0.113.9:4711"), "203.0.113.9")
	f("10.0.0.1", xff("2001:db8::5"), "2001:db8::5")
	f("10.0.0.1", xff("[2001:db8::5]:4711"), "2001:db8::5")
	f("10.0.0.1", xff("[2001:db8::5]"), "2001:db8::5")
	f("10.0.0.1", xff("::ffff:203.0.113.9"), "203.0.113.9")
	f("10.0.0.1", xff("2001:db8::5%"+strings.Repeat("z", 99)), "10.0.0.1")
	for _, bad := range []string{"unknown", "203.0.113.9, unknown, 10.0.0.2", "203.0.113.999", "[2001:db8::5", "[::1]x", "\"203.0.113.9\"", ":80"} {
		f("10.0.0.1", xff(bad), "10.0.0.1")
	}
	f("10.0.0.1", fwd("for=203.0.113.9"), "203.0.113.9")
	f("10.0.0.1", fwd(`proto=https;For="[2001:db8::5]:4711";by=10.0.0.9`), "2001:db8::5")
	f("10.0.0.1", fwd(`for=198.51.100.1, for="203.0.113.9:80"`, "for=10.0.0.2"), "203.0.113.9")
	f("10.0.0.1", fwd("for=_hidden"), "10.0.0.1")
	f("10.0.0.1", fwd("proto=https"), "10.0.0.1")
	f("10.0.0.1", fields{"X-Forwarded-For": {"203.0.113.9"}, "Forwarded": {"for=198.51.100.1"}}, "203.0.113.9")
}

func TestTheClientIsHashedAndLogged(t *testing.T) {
	text := strings.Replace(two, "name: b,", "name: b, balance: {consistent_hash: client_ip},", 1)
	g, book := gateOf(t, text+"trusted_proxies: [10.0.0.0/8]\n")
	from := func(client string) *Exchange {
		x := request("GET", "/api/%zz")
		x.Peer, x.Header = netip.MustParseAddr("10.0.0.1"), fields{"X-Forwarded-For": {client}}
		g.Begin(x)
		x.End(upstream.None, time.Now())
		x = request("GET", "/api")
		x.Peer, x.Header = netip.MustParseAddr("10.0.0.1"), fields{"X-Forwarded-For": {client}}
		g.Begin(x)
		return x
	}
	a, b := from("203.0.113.1"), from("203.0.113.2")
	if a.key == b.key || a.key != from("203.0.113.1").key {
		t.Error("hashed by somebody else than the client")
	}
	if !strings.Contains(book.String(), "client=203.0.113.1 ") || !strings.Contains(book.String(), "peer=10.0.0.1\n") {
		t.Errorf("the log says %s", book.String())
	}
}

// forwardedFrom is a header that allocates nothing.
type forwardedFrom struct {
	bare
	value []byte
}

func (f *forwardedFrom) Join(dst []byte, name string) []byte {
	if name == "X-Forwarded-For" {
		dst = append(dst, f.value...)
	}
	return dst
}

func TestFindingTheClientAllocatesNothing(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	x := &Exchange{Peer: netip.MustParseAddr("10.0.0.1"), Header: &forwardedFrom{value: []byte("2001:db8::1, 203.0.113.9, 10.0.0.2")}}
	if n := testing.AllocsPerRun(1000, func() { x.identify(trusted) }); n != 0 || x.Client.String() != "203.0.113.9" {
		t.Errorf("%v allocations for %v", n, x.Client)
	}
}
