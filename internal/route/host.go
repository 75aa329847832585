package route

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// maxHost is the length of the longest name that DNS has, without a final dot
// (RFC 1035 §2.3.4).
const maxHost = 253

// NormalHost is a request's host as routes are matched by it: in lower case,
// without port and final dot, and an IPv6 address in its shortest form. It is
// built in dst. What is no host, or longer than one can be, gives nil.
func NormalHost(dst, host []byte) []byte {
	if len(host) > 0 && host[0] == '[' {
		return normalAddress(dst, host)
	}
	if at := bytes.IndexByte(host, ':'); at >= 0 {
		host = host[:at]
	}
	if n := len(host); n > 0 && host[n-1] == '.' {
		host = host[:n-1]
	}
	if len(host) == 0 || len(host) > maxHost {
		return nil
	}
	dst = dst[:0]
	before := byte('.')
	for _, c := range host {
		if c == '.' && before == '.' {
			return nil // an empty label is none, and `*.` stands for labels
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst, before = append(dst, c), c
	}
	if before == '.' {
		return nil
	}
	return dst
}

// normalAddress is NormalHost of an IPv6 address in brackets.
func normalAddress(dst, host []byte) []byte {
	end := bytes.IndexByte(host, ']')
	const longest = 45 // with an IPv4 address at its end
	if end < 2 || end > longest+1 {
		return nil
	}
	// A string of its own would be an allocation per request. ParseAddr keeps
	// nothing of it but a zone, which it copies, and an error, which is dropped.
	a, err := netip.ParseAddr(unsafe.String(&host[1], end-1))
	if err != nil || !a.Is6() || a.Zone() != "" {
		return nil
	}
	return append(a.AppendTo(append(dst[:0], '[')), ']')
}
