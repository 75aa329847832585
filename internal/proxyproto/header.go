package proxyproto

import (
	"bytes"
	"errors"
	"net/netip"
)

// Header is what a proxy says of a connection. The zero Header says nothing: the
// connection is the proxy's own, such as a probe of it, or it does not know whose.
type Header struct {
	Source      netip.AddrPort // who is connected to the proxy
	Destination netip.AddrPort // where it was connected to
}

// Known tells whether h names anybody.
func (h Header) Known() bool { return h.Source.IsValid() }

// MaxSize bounds a header. Addresses take 52 bytes of it: the rest is for what
// proxies tell of TLS, such as the name in a certificate.
const MaxSize = 4 << 10

const (
	prefix1   = "PROXY "
	signature = "\r\n\r\n\x00\r\nQUIT\n"
	shortest  = len("PROXY UNKNOWN\r\n") // of version 1, and of both
	longest1  = 107                      // of version 1, by the specification
)

// Why a header is refused.
var (
	ErrNone      = errors.New("the connection does not begin with a PROXY protocol header")
	ErrMalformed = errors.New("the PROXY protocol header is malformed")
	ErrVersion   = errors.New("the PROXY protocol header is of an unknown version or command")
	ErrFamily    = errors.New("the PROXY protocol header is of a connection that is not TCP")
	ErrSize      = errors.New("the PROXY protocol header is larger than anybody needs")
	ErrChecksum  = errors.New("the checksum of the PROXY protocol header is wrong")
)

// Parse reads the header that b begins with, and says how many bytes it has. Where
// that is more than b has, they are how many there must be at least before more can
// be said: who reads no more than these has read nothing of what follows.
func Parse(b []byte) (h Header, size int, err error) {
	switch {
	case begins(b, prefix1):
		return parse1(b)
	case begins(b, signature):
		return parse2(b)
	}
	return h, 0, ErrNone
}

// begins tells whether b begins with what, as far as b goes.
func begins(b []byte, what string) bool {
	n := min(len(b), len(what))
	return string(b[:n]) == what[:n]
}

// Append appends h in a version, 1 or 2.
func Append(dst []byte, version int, h Header) []byte {
	if !h.Known() {
		h = Header{}
	} else {
		h = h.alike()
	}
	if version == 1 {
		return append1(dst, h)
	}
	return append2(dst, h)
}

// alike is h with both addresses of one family, as a header has to have them: where
// they are not, those of IPv6 hold those of IPv4. A destination that is not known is
// the unspecified address.
func (h Header) alike() Header {
	s, d := plain(h.Source), plain(h.Destination)
	switch {
	case !d.IsValid() && s.Addr().Is4():
		d = netip.AddrPortFrom(netip.IPv4Unspecified(), d.Port())
	case !d.IsValid():
		d = netip.AddrPortFrom(netip.IPv6Unspecified(), d.Port())
	case s.Addr().Is4() != d.Addr().Is4():
		s, d = mapped(s), mapped(d)
	}
	return Header{s, d}
}

// plain is a as an address of IPv4 where it is one, and without a zone, which means
// nothing to others.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// mapped is a as an address of IPv6.
func mapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
}

// cut takes the next word off a line of version 1, up to one space or the end.
func cut(line []byte) (word, rest []byte) {
	if at := bytes.IndexByte(line, ' '); at >= 0 {
		return line[:at], line[at+1:]
	}
	return line, nil
}
