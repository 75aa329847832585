package proxy

import (
	"net/netip"
	"testing"

	"rgate/internal/config"
)

func TestCrowd(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	lim := &config.Limits{Connections: 3, ConnectionsPerClient: 2}
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
	if got := c.Enter(a, &config.Limits{}); got != Admitted {
		t.Errorf("%d without limits", got)
	}
}
