package acme

import (
	"testing"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

func TestChallenges(t *testing.T) {
	c := NewChallenges()
	ctx := t.Context()
	token := acme.Challenge{Type: "http-01", Token: "t", KeyAuthorization: "t.key", Identifier: acme.Identifier{Type: "dns", Value: "a.example"}}
	proof := acme.Challenge{Type: "tls-alpn-01", Token: "u", KeyAuthorization: "u.key", Identifier: acme.Identifier{Type: "dns", Value: "A.example"}}
	for _, s := range []struct {
		acmez.Solver
		acme.Challenge
		is func() bool
	}{
		{tokenSolver{c}, token, func() bool { return string(c.Key([]byte("t"))) == "t.key" && c.Key([]byte("u")) == nil }},
		{certSolver{c}, proof, func() bool { return c.Certificate("a.EXAMPLE") != nil && c.Certificate("b.example") == nil }},
	} {
		if s.is() || c.pending.Load() != 0 {
			t.Error("it is answered before it is asked")
		}
		for range 2 { // an authority may want it twice
			if err := s.Present(ctx, s.Challenge); err != nil {
				t.Fatal(err)
			}
		}
		if !s.is() {
			t.Error("it is not answered")
		}
		for range 2 {
			_ = s.CleanUp(ctx, s.Challenge)
		}
		if s.is() || c.pending.Load() != 0 {
			t.Errorf("it is answered after all, %d are pending", c.pending.Load())
		}
	}
	if n := testing.AllocsPerRun(100, func() { c.Key([]byte("t")) }); n > 0 {
		t.Errorf("%v allocations where nothing is pending", n)
	}
}

func TestAsked(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.7":   "7.2.0.192.in-addr.arpa",
		"2001:db8::1": "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	} {
		if got := asked(acme.Identifier{Type: "ip", Value: ip}); got != want {
			t.Errorf("%s: %s", ip, got)
		}
	}
}
