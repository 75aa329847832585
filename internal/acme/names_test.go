package acme

import (
	"slices"
	"testing"

	"rgate/internal/config"
)

func TestNames(t *testing.T) {
	all := []string{"b.example.com", "*.example.com", "a.b.example.com", "a.example.org", "localhost", "192.0.2.7", "[2001:db8::7]", "x_y.example.net", "shop.internal"}
	f := func(said config.ACME, want ...string) {
		t.Helper()
		names, without := Names(all, &said)
		if !slices.Equal(names, want) {
			t.Errorf("%q, without %q", names, without)
		}
	}
	both := []string{config.ChallengeHTTP, config.ChallengeTLSALPN}
	public, own := []string{config.LetsEncrypt}, []string{"https://ca.example/dir"}
	f(config.ACME{Directory: public, Challenges: both}, "a.b.example.com", "a.example.org", "b.example.com")
	f(config.ACME{Directory: own, Challenges: both}, "192.0.2.7", "2001:db8::7", "a.b.example.com", "a.example.org", "b.example.com", "localhost", "shop.internal")
	f(config.ACME{Directory: public, Challenges: []string{config.ChallengeDNS}, Profile: "shortlived"}, "*.example.com", "a.b.example.com", "a.example.org")
}
