package proxy

import (
	"fmt"
	"net/netip"
	"testing"

	"rgate/internal/config"
)

func TestCrowd(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	lim := &config.Config{Limits: config.Limits{Connections: 3, ConnectionsPerClient: 2}}
	var c Crowd
	for i, step := range []struct {
		client netip.Addr
		want   Admission
	}{{a, Admitted}, {a, Admitted}, {a, Greedy}, {b, Admitted}, {b, Full}} {
		if got := c.Enter(step.client, lim); got != step.want {
			t.Errorf("step %d: %d, want %d", i, got, step.want)
		}
	}
	c.Leave(a)
	if got := c.Enter(b, lim); got != Admitted {
		t.Errorf("%d where one has left", got)
	}
	for _, client := range []netip.Addr{a, b, b} {
		c.Leave(client)
	}
	if c.Size() != 0 || len(c.clients) != 0 {
		t.Errorf("%d connections and %d clients are left of none", c.Size(), len(c.clients))
	}
	if got := c.Enter(a, &config.Config{}); got != Admitted {
		t.Errorf("%d without limits", got)
	}
}

func TestNobodyHoldsMoreThanAPart(t *testing.T) {
	for _, c := range []struct{ room, limit, share int }{
		{0, 0, 0}, {0, 5, 5}, {1000, 0, 0}, {1000, 100, 100}, {1000, 2000, 250}, {40, 2000, 16}, {2, 2000, 16},
	} {
		if n := share(c.room, c.limit); n != c.share {
			t.Errorf("%d of %d, with a limit of %d: want %d", n, c.room, c.limit, c.share)
		}
	}
}

func TestNetworksAndTrustedPeers(t *testing.T) {
	cfg := &config.Config{
		Limits:         config.Limits{Connections: 400, ConnectionsPerClient: 20},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}
	var c Crowd
	enter := func(a string) Admission { return c.Enter(netip.MustParseAddr(a), cfg) }
	for i := range 20 {
		if a := enter(fmt.Sprintf("2001:db8:0:1::%x", i)); a != Admitted {
			t.Fatalf("%d after %d of one network", a, i)
		}
	}
	for a, want := range map[string]Admission{
		"2001:db8:0:1:ffff::1": Greedy, "2001:db8:0:2::1": Admitted, "::ffff:192.0.2.1": Admitted,
	} {
		if got := enter(a); got != want {
			t.Errorf("%s: %d, want %d", a, got, want)
		}
	}
	for range 30 {
		if a := enter("10.1.1.1"); a != Admitted {
			t.Fatalf("%d for a proxy that is trusted", a)
		}
	}
	for a, want := range map[string]int{"2001:db8:0:1::7": 5, "2001:db8:0:2::1": 0, "10.1.1.1": 0} {
		if got := c.Weight(netip.MustParseAddr(a), cfg); got != want {
			t.Errorf("%s weighs %d, want %d", a, got, want)
		}
	}
	c.Leave(netip.MustParseAddr("2001:db8:0:1:9::9"))
	if a := enter("2001:db8:0:1::77"); a != Admitted {
		t.Errorf("%d where one of the network has left", a)
	}
}
