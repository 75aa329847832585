package policy

import (
	"net/netip"
	"slices"
	"strings"

	"rgate/internal/config"
)

// ip lets clients pass by their address.
type ip struct {
	all   bool // whoever is not denied
	allow spans
	deny  spans // wins over allow
	text  string
}

var answerDenied = &Answer{
	Status: 403, Reason: ReasonDenied,
	ContentType: "text/plain; charset=utf-8", Body: []byte("this address may not come here\n"),
}

func newIP(c *config.IP) *ip {
	var parts []string
	for _, list := range []struct {
		word     string
		networks []netip.Prefix
	}{{"allow", c.Allow}, {"deny", c.Deny}} {
		if len(list.networks) == 0 {
			continue
		}
		var words []string
		for _, n := range list.networks {
			words = append(words, plainNetwork(n))
		}
		parts = append(parts, list.word+" "+listed(words, " "))
	}
	return &ip{
		all: len(c.Allow) == 0, allow: spansOf(c.Allow), deny: spansOf(c.Deny),
		text: "ip: " + strings.Join(parts, "; "),
	}
}

// plainNetwork is n as people write it: one address without its length.
func plainNetwork(n netip.Prefix) string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	return n.String()
}

// Decide implements Policy.
func (p *ip) Decide(r Request) Decision {
	if p.deny.hold(r.Client) || !p.all && !p.allow.hold(r.Client) {
		return Decision{Refusal: answerDenied}
	}
	return Decision{}
}

// String implements Policy.
func (p *ip) String() string { return p.text }

// spans are networks as what they hold, apart from each other and in order: a
// search in them takes as long for a few as for thousands.
type spans []span

type span struct{ first, last netip.Addr }

func spansOf(networks []netip.Prefix) spans {
	var all spans
	for _, n := range networks {
		all = append(all, span{n.Masked().Addr(), lastOf(n)})
	}
	slices.SortFunc(all, func(a, b span) int { return a.first.Compare(b.first) })
	var apart spans
	for _, s := range all {
		if n := len(apart); n > 0 && s.first.Compare(apart[n-1].last) <= 0 {
			if s.last.Compare(apart[n-1].last) > 0 {
				apart[n-1].last = s.last
			}
			continue
		}
		apart = append(apart, s)
	}
	return apart
}

// lastOf is the highest address of a network.
func lastOf(n netip.Prefix) netip.Addr {
	b := n.Addr().AsSlice()
	for i := n.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(b) // it is as long as one
	return last
}

// hold tells whether a is in one of them. Addresses of IPv4 come before those of
// IPv6.
func (s spans) hold(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	after, same := slices.BinarySearchFunc(s, a, func(s span, a netip.Addr) int { return s.first.Compare(a) })
	return same || after > 0 && a.Compare(s[after-1].last) <= 0
}
