package policy

import (
	"fmt"
	"strings"
	"testing"

	"rgate/internal/config"
)

// What many routes have is there once, or thousands of networks on thousands of
// routes would take gigabytes.
func TestWhatRoutesShareIsMadeOnce(t *testing.T) {
	office := &config.Policy{IP: &config.IP{Allow: networks("10.0.0.0/8")}}
	strip := &config.Policy{Prefix: &config.Prefix{Strip: "/a"}}
	c := NewCompiler(consumers)
	one, two, three := c.Chain([]*config.Policy{office}), c.Chain([]*config.Policy{office}), c.Chain([]*config.Policy{strip, office})
	if one != two {
		t.Error("two routes that have the same have a chain each")
	}
	if one == three || one.Decided()[0] != three.Decided()[0] {
		t.Error("a policy is made for each route")
	}
	if got := c.Chain(nil); got != c.Chain(nil) || len(got.All()) != 1 || len(one.All()) != 2 || len(three.All()) != 3 {
		t.Errorf("%v, %v, %v", got.All(), one.All(), three.All())
	}
	alike := NewCompiler(consumers).Chain([]*config.Policy{{IP: &config.IP{Allow: networks("10.0.0.0/8")}}})
	if !one.Alike(alike) || one.Alike(three) || one.Alike(nil) {
		t.Error("chains are told apart by what they say")
	}
}

// A long list is told shortly, and still apart from others.
func TestALongListIsToldShortly(t *testing.T) {
	var many []string
	for i := range 5000 {
		many = append(many, fmt.Sprintf("10.%d.%d.0/24", i/256, i%256))
	}
	text := newIP(&config.IP{Allow: networks(many...)}).String()
	if len(text) > 500 || !strings.Contains(text, " 10.0.19.0/24 and 4980 more (") {
		t.Errorf("%d bytes: %.600s", len(text), text)
	}
	many[4999] = "192.0.2.0/24"
	if text == newIP(&config.IP{Allow: networks(many...)}).String() {
		t.Error("another list is told alike")
	}
}
