package policy

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"rgate/internal/config"
)

func networks(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// compileAll makes a chain where there are no consumers.
func compileAll(all []*config.Policy) *Chain { return NewCompiler(nil).Chain(all) }

func deciders(c config.IP) []Decider { return compileAll([]*config.Policy{{IP: &c}}).Decided() }

func TestIP(t *testing.T) {
	f := func(allow, deny []netip.Prefix, passes map[string]bool) {
		t.Helper()
		all := deciders(config.IP{Allow: allow, Deny: deny})
		if len(all) != 1 {
			t.Fatalf("%d policies", len(all))
		}
		for client, want := range passes {
			d := all[0].Decide(Request{Client: netip.MustParseAddr(client)})
			if (d.Refusal == nil) != want || d.Job != nil {
				t.Errorf("%s: %s: %+v", all[0], client, d)
			}
			if d.Refusal != nil && (d.Refusal.Status != 403 || d.Refusal.Reason != ReasonDenied) {
				t.Errorf("%s is told %+v", client, d.Refusal)
			}
		}
	}
	office := networks("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32")
	guests := networks("10.6.0.0/16", "2001:db8:6::/48")
	f(office, nil, map[string]bool{
		"10.0.0.0": true, "10.255.255.255": true, "9.255.255.255": false, "11.0.0.0": false,
		"192.0.2.7": true, "192.0.2.6": false, "192.0.2.8": false, "::ffff:10.1.2.3": true,
		"2001:db8::": true, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff": true, "2001:db9::": false, "::": false, "0.0.0.0": false,
	})
	f(nil, guests, map[string]bool{
		"10.6.0.0": false, "10.6.255.255": false, "10.7.0.0": true, "192.0.2.1": true,
		"2001:db8:6::1": false, "2001:db8:7::1": true, "fe80::1%eth0": true,
	})
	f(office, guests, map[string]bool{"10.1.1.1": true, "10.6.1.1": false, "192.0.2.8": false, "2001:db8:6::1": false})
	f(networks("10.6.0.0/16"), networks("10.0.0.0/8"), map[string]bool{"10.6.1.1": false}) // deny wins
	f(networks("0.0.0.0/0"), nil, map[string]bool{"0.0.0.0": true, "255.255.255.255": true, "::1": false})
	f(networks("::/0", "fe80::/10"), nil, map[string]bool{"::1": true, "fe80::1%eth0": true, "10.0.0.1": false})
}

// Who is no IP client at all, as on a Unix socket, passes no list of those who do.
func TestAnAddressThatIsNoneIsNotAllowed(t *testing.T) {
	p := newIP(&config.IP{Allow: networks("0.0.0.0/0", "::/0")})
	if p.Decide(Request{}).Refusal == nil {
		t.Error("allowed")
	}
}

// The search agrees with looking at each network in turn.
func TestSpansHoldWhatTheirNetworksHold(t *testing.T) {
	address := func() netip.Addr {
		if rand.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(rand.IntN(3)), byte(rand.IntN(256)), byte(rand.IntN(256))})
		}
		a := [16]byte{0: 0x20, 1: 1, 14: byte(rand.IntN(256)), 15: byte(rand.IntN(256))}
		return netip.AddrFrom16(a)
	}
	for range 300 {
		var list []netip.Prefix
		for range rand.IntN(20) {
			a := address()
			n, err := a.Prefix(a.BitLen() - rand.IntN(14))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, n)
		}
		s := spansOf(list)
		for range 300 {
			a, want := address(), false
			for _, n := range list {
				want = want || n.Contains(a)
			}
			if s.hold(a) != want {
				t.Fatalf("%v in %v: want %v", a, list, want)
			}
		}
	}
}

func TestNoPolicyIsNil(t *testing.T) {
	for _, none := range [][]*config.Policy{nil, {{}}, {{IP: &config.IP{}}}} {
		if all := compileAll(none); all != nil || all.All() != nil || all.Decided() != nil || all.Rewrites() != nil || all.Answers() {
			t.Errorf("got %v", all)
		}
	}
}

func TestIPIsToldAsItIsWritten(t *testing.T) {
	for want, c := range map[string]config.IP{
		"ip: allow 10.0.0.0/8 192.0.2.7; deny 2001:db8::/32": {Allow: networks("10.0.0.0/8", "192.0.2.7/32"), Deny: networks("2001:db8::/32")},
		"ip: deny 192.0.2.7": {Deny: networks("192.0.2.7/32")},
	} {
		if got := newIP(&c).String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDecidingAllocatesNothing(t *testing.T) {
	all := deciders(config.IP{Allow: networks("10.0.0.0/8"), Deny: networks("10.6.0.0/16")})
	for _, client := range []string{"10.1.1.1", "10.6.1.1", "192.0.2.1"} {
		r := Request{Client: netip.MustParseAddr(client)}
		if n := testing.AllocsPerRun(100, func() { all[0].Decide(r) }); n != 0 {
			t.Errorf("%s: %v allocations", client, n)
		}
	}
}
