package proxy

import "net/netip"

// Trusted tells whether the peer is a proxy that is believed: then X-Real-Ip and
// further X-Forwarded fields, such as X-Forwarded-Port, go on as they came. From
// anyone else they are dropped.
func (x *Exchange) Trusted() bool { return x.trusted }

// AppendForwardedFor appends the value of X-Forwarded-For: the peer, after
// what a trusted peer said here, or else the client that it named in Forwarded.
func (x *Exchange) AppendForwardedFor(dst []byte) []byte {
	start := len(dst)
	if dst = x.chain(dst, "X-Forwarded-For"); len(dst) == start && x.Client != x.Peer {
		dst = append(x.Client.AppendTo(dst), ", "...)
	}
	return x.Peer.AppendTo(dst)
}

// ForwardedHost is the value of X-Forwarded-Host; empty where nobody named a
// host.
func (x *Exchange) ForwardedHost() []byte { return x.said("X-Forwarded-Host", x.Host) }

// AppendForwardedProto appends the value of X-Forwarded-Proto.
func (x *Exchange) AppendForwardedProto(dst []byte) []byte {
	return append(dst, x.said("X-Forwarded-Proto", x.proto())...)
}

// AppendForwarded appends the value of Forwarded (RFC 7239 §4): this hop,
// after what a trusted peer said. Many proxies write X-Forwarded-For and pass on
// what their clients say here: where it names another client, the one that
// counts is written in its place.
func (x *Exchange) AppendForwarded(dst []byte) []byte {
	switch {
	case x.agreed:
		dst = x.chain(dst, "Forwarded")
	case x.Client != x.Peer:
		dst = append(appendNode(dst, x.Client), ", "...)
	}
	dst = appendNode(dst, x.Peer)
	if len(x.Host) > 0 {
		dst = append(dst, `;host="`...)
		for _, c := range x.Host {
			if c == '"' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
		}
		dst = append(dst, '"')
	}
	dst = append(dst, ";proto="...)
	return append(dst, x.proto()...)
}

// appendNode appends who sent a request on (RFC 7239 §6).
func appendNode(dst []byte, a netip.Addr) []byte {
	dst = append(dst, "for="...)
	if a.Is6() {
		dst = append(dst, `"[`...)
		return append(a.AppendTo(dst), `]"`...)
	}
	return a.AppendTo(dst)
}

// chain appends what a trusted peer said under name, ready to be gone on with.
func (x *Exchange) chain(dst []byte, name string) []byte {
	if !x.trusted {
		return dst
	}
	start := len(dst)
	if dst = x.Header.Join(dst, name); len(dst) > start {
		dst = append(dst, ", "...)
	}
	return dst
}

// said is what a trusted peer said under name, or else own.
func (x *Exchange) said(name string, own []byte) []byte {
	if x.trusted {
		if value := x.Header.Get(name); len(value) > 0 {
			return value
		}
	}
	return own
}

var protoHTTP, protoHTTPS = []byte("http"), []byte("https")

func (x *Exchange) proto() []byte {
	if x.Secured != nil {
		return protoHTTPS
	}
	return protoHTTP
}
