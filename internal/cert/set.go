package cert

import (
	"crypto/ecdsa"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Set is certificates by the names that they are for. It never changes.
type Set struct {
	names    map[string][]*tls.Certificate // by host, *.wildcard or address
	fallback []*tls.Certificate            // for whoever asks for another name, or for none
}

// Entry is a certificate of a set.
type Entry struct {
	Certificate *tls.Certificate
	Default     bool // serves, too, where no certificate has the name that is asked for
}

// NewSet files certificates by name. One that comes earlier goes first among
// those that have the same name, and those with an ECDSA or Ed25519 key before
// those with an RSA key, which cost a server ten times as much.
func NewSet(entries []Entry) *Set {
	s := &Set{names: map[string][]*tls.Certificate{}}
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

// For are the certificates for a host, best first: those that name it, else
// those with a wildcard for its first label (RFC 9525 §6.3), else the default
// ones. The host is a name or an address; "" is none.
func (s *Set) For(host string) []*tls.Certificate {
	if host = normal(host); host != "" {
		if list := s.names[host]; list != nil {
			return list
		}
		if _, domain, ok := strings.Cut(host, "."); ok {
			if list := s.names["*."+domain]; list != nil {
				return list
			}
		}
	}
	return s.fallback
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

// Same tells whether whoever asked for one host was served what the other has,
// too: else a request for that one, on this one's connection, is misdirected
// (RFC 9110 §15.5.20).
func (s *Set) Same(asked, host string) bool {
	return normal(asked) == normal(host) || slices.Equal(s.For(asked), s.For(host))
}

// Certificate is what tls.Config.GetCertificate wants: the best certificate
// that the client can use; nil, which is told by the alert unrecognized_name,
// where none is for the name. Who names no host is one that asks for the
// address it connected to.
func (s *Set) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := hello.ServerName
	if host == "" && hello.Conn != nil {
		host, _, _ = net.SplitHostPort(hello.Conn.LocalAddr().String())
	}
	list := s.For(host)
	if len(list) == 0 {
		return nil, nil
	}
	for _, c := range list {
		if hello.SupportsCertificate(c) == nil {
			return c, nil
		}
	}
	return list[0], nil // the handshake fails, and says why
}
