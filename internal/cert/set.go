package cert

import (
	"crypto/ecdsa"
	"crypto/tls"
	"net/netip"
	"slices"
	"strings"
)

// Set is certificates by the names that they are for. It never changes.
type Set struct {
	names    map[string][]*tls.Certificate // by host, *.wildcard or address
	fallback []*tls.Certificate            // for whoever asks for another name, or for none
	entries  []Entry                       // in their order
}

// Entry is a certificate of a set.
type Entry struct {
	Certificate *tls.Certificate
	Default     bool   // serves, too, where no certificate has the name that is asked for
	File        string // where it was read
}

// NewSet files certificates by name. One that comes earlier goes first among
// those that have the same name, and those with an ECDSA or Ed25519 key before
// those with an RSA key, which cost a server ten times as much.
func NewSet(entries []Entry) *Set {
	s := &Set{names: map[string][]*tls.Certificate{}, entries: entries}
	for _, e := range entries {
		for _, name := range Names(e.Certificate) {
			s.names[name] = append(s.names[name], e.Certificate)
		}
		if e.Default {
			s.fallback = append(s.fallback, e.Certificate)
		}
	}
	for _, list := range s.names {
		cheapFirst(list)
	}
	cheapFirst(s.fallback)
	return s
}

func cheapFirst(list []*tls.Certificate) {
	slices.SortStableFunc(list, func(a, b *tls.Certificate) int { return cost(a) - cost(b) })
}

func cost(c *tls.Certificate) int {
	if _, ok := c.Leaf.PublicKey.(*ecdsa.PublicKey); ok {
		return 0
	}
	return 1
}

// Names are the names that a certificate is for, as a set files them.
func Names(c *tls.Certificate) []string {
	var names []string
	for _, name := range c.Leaf.DNSNames {
		names = append(names, normal(name))
	}
	for _, ip := range c.Leaf.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			names = append(names, a.Unmap().String())
		}
	}
	return names
}

// normal is a host as it is compared: RFC 6066 §3 sends none of a final dot, and
// some clients do. An IPv6 address can be written in several ways.
func normal(host string) string {
	if strings.Contains(host, ":") {
		if a, err := netip.ParseAddr(host); err == nil {
			return a.Unmap().WithZone("").String()
		}
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// Named are the certificates that name a host, best first, else those with a
// wildcard for its first label (RFC 9525 §6.3). The host is a name or an
// address; "" is none.
func (s *Set) Named(host string) []*tls.Certificate {
	if host = normal(host); host == "" {
		return nil
	}
	if list := s.names[host]; list != nil {
		return list
	}
	_, domain, _ := strings.Cut(host, ".")
	return s.names["*."+domain]
}

// SameHost tells whether two spellings are of one host, a name or an address.
func SameHost(a, b string) bool { return normal(a) == normal(b) }

// For are the certificates that name a host, else the default ones.
func (s *Set) For(host string) []*tls.Certificate {
	if list := s.Named(host); list != nil {
		return list
	}
	return s.fallback
}

// first is the first of list; not ok where there is none.
func (s *Set) first(list []*tls.Certificate) (_ Status, ok bool) {
	at := slices.IndexFunc(s.entries, func(e Entry) bool { return len(list) > 0 && e.Certificate == list[0] })
	if at < 0 {
		return Status{}, false
	}
	return s.entries[at].status(), true
}

func (e Entry) status() Status {
	leaf := e.Certificate.Leaf
	return Status{Names: Names(e.Certificate), Kind: KindFile, Issuer: Authority(leaf), NotAfter: leaf.NotAfter, File: e.File}
}

// Covers tells whether a certificate names the host, be it by a wildcard.
func (s *Set) Covers(host string) bool {
	list := s.For(host)
	return len(list) > 0 && slices.ContainsFunc(list, func(c *tls.Certificate) bool {
		return c.Leaf.VerifyHostname(bracketed(normal(host))) == nil
	})
}

// bracketed is an address as VerifyHostname wants it told from a name.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// best is the first of list that the client can use; nil, which is told by the
// alert unrecognized_name, where there is none at all.
func best(list []*tls.Certificate, hello *tls.ClientHelloInfo) *tls.Certificate {
	for _, c := range list {
		if hello.SupportsCertificate(c) == nil {
			return c
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[0] // the handshake fails, and says why
}
