package proxy

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// identify finds out whom a request comes from: the peer, or whom it vouches
// for where it is a trusted proxy.
func (x *Exchange) identify(trusted []netip.Prefix) {
	x.Client = x.Peer
	if x.trusted = len(trusted) > 0 && within(x.Peer, trusted); !x.trusted || x.Header == nil {
		return
	}
	// The path is not known yet, so its space is free.
	list := x.Header.Join(x.pathSpace[:0], "X-Forwarded-For")
	counts := len(list) > 0
	if counts {
		x.Client = vouched(list, trusted, x.Peer, forwardedFor)
	}
	if list = x.Header.Join(x.pathSpace[:0], "Forwarded"); len(list) > 0 {
		client := vouched(list, trusted, x.Peer, forwarded)
		if !counts {
			x.Client = client
		}
		x.agreed = client == x.Client
	}
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// vouched is the right-most address of a list that is no trusted proxy's: what
// stands left of it came from whoever that is, and proves nothing. Where all
// are trusted it is the left-most. An element without an address, such as an
// obfuscated one, leaves the peer: nobody is to be taken for somebody else.
func vouched(list []byte, trusted []netip.Prefix, peer netip.Addr, address func([]byte) []byte) netip.Addr {
	client := peer
	for len(list) > 0 {
		element := list
		if at := bytes.LastIndexByte(list, ','); at >= 0 {
			element, list = list[at+1:], list[:at]
		} else {
			list = nil
		}
		if element = bytes.TrimSpace(element); len(element) == 0 {
			continue // allowed in a list (RFC 9110 §5.6.1)
		}
		a, ok := parseAddress(address(element))
		switch {
		case !ok:
			return peer
		case !within(a, trusted):
			return a
		}
		client = a
	}
	return client
}

// forwardedFor is the address in an element of X-Forwarded-For.
func forwardedFor(element []byte) []byte { return element }

// forwarded is the address in an element of Forwarded (RFC 7239 §4); nil for
// none.
func forwarded(element []byte) []byte {
	for len(element) > 0 {
		var pair []byte
		pair, element, _ = bytes.Cut(element, []byte{';'})
		name, value, _ := bytes.Cut(bytes.TrimSpace(pair), []byte{'='})
		if len(name) == len("for") && bytes.EqualFold(name, []byte("for")) {
			if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
				value = value[1 : n-1]
			}
			return value
		}
	}
	return nil
}

// parseAddress reads an address with or without a port or brackets.
func parseAddress(text []byte) (a netip.Addr, ok bool) {
	if len(text) > 0 && text[0] == '[' {
		end := bytes.IndexByte(text, ']')
		if end < 0 || end+1 < len(text) && text[end+1] != ':' {
			return a, false
		}
		text = text[1:end]
	} else if at := bytes.IndexByte(text, ':'); at >= 0 && bytes.IndexByte(text[at+1:], ':') < 0 {
		text = text[:at]
	}
	const longest = 64 // an address and a zone; else parsing costs what a stranger likes
	if len(text) == 0 || len(text) > longest {
		return a, false
	}
	// A string of its own would be an allocation per request. ParseAddr keeps
	// nothing of it but a zone, which it copies, and an error, which is dropped.
	a, err := netip.ParseAddr(unsafe.String(&text[0], len(text)))
	return a.Unmap().WithZone(""), err == nil
}
