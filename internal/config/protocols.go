package config

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// Protocols are the versions of HTTP that a listener takes. None said is HTTP/1.1
// alone; with TLS the file's default is HTTP/2, too.
type Protocols uint8

// The protocols.
const (
	H1  Protocols = 1 << iota // HTTP/1.0 and HTTP/1.1
	H2                        // HTTP/2 with TLS, which the handshake agrees on (RFC 7301)
	H2C                       // HTTP/2 in the clear, unasked: with prior knowledge (RFC 9113 §3.3)
)

var protocolNames = []struct {
	name string
	is   Protocols
}{{"h1", H1}, {"h2", H2}, {"h2c", H2C}}

// Has tells whether one of them is taken.
func (p Protocols) Has(one Protocols) bool {
	if p == 0 {
		p = H1
	}
	return p&one != 0
}

// String lists them as the file does.
func (p Protocols) String() string {
	var names []string
	for _, known := range protocolNames {
		if p.Has(known.is) {
			names = append(names, known.name)
		}
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// readProtocols reads a list of them. Whether they suit the listener is looked at
// once all of it is known.
func readProtocols(d *decoder, n *yaml.Node, into *listenerDraft) {
	into.protocols = n
	read := choice("h1", "h2", "h2c")
	items := d.items(n, "protocols")
	if isEmpty(n) {
		d.problem(n, "such as `[h1, h2]`", "`protocols` lists none")
	}
	for _, item := range items {
		s, ok := d.scalar("protocols", item)
		if !ok {
			continue
		}
		name, ok := read(d, s)
		if !ok {
			continue
		}
		for _, known := range protocolNames {
			switch {
			case known.name != name:
			case into.Protocols&known.is != 0:
				d.problem(item, "once will do", "`protocols` lists %s twice", name)
			default:
				into.Protocols |= known.is
			}
		}
	}
}

// settleProtocols has TLS know what to offer, and says what does not suit.
func (l *listenerDraft) settleProtocols(d *decoder) {
	switch {
	case l.protocols == nil && l.TLS != nil:
		l.Protocols = H1 | H2
	case l.protocols == nil:
	case l.TLS == nil && l.Protocols&H2 != 0:
		d.problem(l.protocols, "write h2c for HTTP/2 in the clear, or give it `tls`", "`h2` in `protocols` is HTTP/2 with TLS, which this listener does not speak")
	case l.TLS != nil && l.Protocols&H2C != 0:
		d.problem(l.protocols, "write h2, or remove `tls`", "`h2c` in `protocols` is HTTP/2 in the clear, and this listener speaks TLS")
	}
	if l.TLS != nil {
		l.TLS.Offers = l.Protocols
	}
}
