package h1

import "bytes"

// validAuthority checks uri-host [":" port]. It is narrower than RFC 3986: a
// host is not empty, a port is a number from 0 to 65535, and a name consists
// of unreserved characters only. Percent signs and "!$&'()*+,;=" would be
// syntax again where the host is copied to, in Forwarded and X-Forwarded-Host.
func validAuthority(b []byte, needPort bool) bool {
	var host, port []byte
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 || !validIPv6(b[1:end]) {
			return false
		}
		host, port = b[:end+1], b[end+1:]
	} else {
		i := 0
		for i < len(b) && is(b[i], classHost) {
			i++
		}
		host, port = b[:i], b[i:]
	}
	if len(host) == 0 {
		return false
	}
	if len(port) == 0 {
		return !needPort
	}
	return port[0] == ':' && validPort(port[1:])
}

func validPort(b []byte) bool {
	n := 0
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
		if n = n*10 + int(c-'0'); n > 65535 {
			return false
		}
	}
	return len(b) > 0
}

// validIPv6 checks IPv6address of RFC 3986 §3.2.2; zones are not allowed in
// URIs sent over the wire (RFC 9110 §4.2 takes no RFC 6874).
func validIPv6(b []byte) bool {
	groups, compressed := 0, false
	if len(b) >= 2 && b[0] == ':' && b[1] == ':' {
		compressed, b = true, b[2:]
	}
	for len(b) > 0 {
		n := 0
		for n < len(b) && is(b[n], classHex) {
			n++
		}
		if n < len(b) && b[n] == '.' {
			return validIPv4(b) && fits(groups+2, compressed)
		}
		if n == 0 || n > 4 {
			return false
		}
		groups++
		if b = b[n:]; len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return false
		}
		if b = b[1:]; b[0] == ':' {
			if compressed {
				return false
			}
			compressed, b = true, b[1:]
		}
	}
	return fits(groups, compressed)
}

// fits: "::" stands for at least one group.
func fits(groups int, compressed bool) bool {
	return groups == 8 && !compressed || groups < 8 && compressed
}

func validIPv4(b []byte) bool {
	parts, n, digits := 1, 0, 0
	for _, c := range b {
		switch {
		case c == '.' && digits > 0:
			parts, n, digits = parts+1, 0, 0
		case c-'0' <= 9 && !(digits > 0 && n == 0):
			n, digits = n*10+int(c-'0'), digits+1
			if n > 255 {
				return false
			}
		default:
			return false
		}
	}
	return parts == 4 && digits > 0
}
