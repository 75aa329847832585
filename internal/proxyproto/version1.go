package proxyproto

import (
	"bytes"
	"net/netip"
	"strconv"
)

// parse1 reads a line such as "PROXY TCP4 192.0.2.7 10.0.0.1 51234 443\r\n".
func parse1(b []byte) (h Header, size int, err error) {
	line := b[:min(len(b), longest1)]
	end := bytes.IndexByte(line, '\n')
	switch {
	case end < 0 && len(line) == longest1:
		return h, 0, ErrSize
	case end < 0 && len(b) < shortest:
		return h, shortest, nil
	case end < 0 && b[len(b)-1] == '\r':
		return h, len(b) + 1, nil
	case end < 0:
		return h, len(b) + 2, nil
	case end == 0 || line[end-1] != '\r':
		return h, 0, ErrMalformed
	}
	family, rest := cut(line[len(prefix1) : end-1])
	switch string(family) {
	case "UNKNOWN":
		return h, end + 1, nil // whatever else it says is to be ignored
	case "TCP4", "TCP6":
	default:
		return h, 0, ErrFamily
	}
	var words [4][]byte
	for i := range words {
		words[i], rest = cut(rest)
	}
	source, ok1 := address(words[0], words[2], family[3] == '4')
	destination, ok2 := address(words[1], words[3], family[3] == '4')
	if !ok1 || !ok2 || rest != nil {
		return h, 0, ErrMalformed
	}
	return Header{source, destination}, end + 1, nil
}

// address reads an address and a port.
func address(host, port []byte, four bool) (a netip.AddrPort, ok bool) {
	ip, err := netip.ParseAddr(string(host))
	if err != nil || ip.Is4() != four || ip.Zone() != "" {
		return a, false
	}
	n, ok := number(port)
	return netip.AddrPortFrom(ip.Unmap(), n), ok
}

// number reads a port, in the one way to write it.
func number(digits []byte) (n uint16, ok bool) {
	if len(digits) == 0 || len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	v, err := strconv.ParseUint(string(digits), 10, 16)
	return uint16(v), err == nil
}

func append1(dst []byte, h Header) []byte {
	switch s := h.Source; {
	case !h.Known():
		return append(dst, "PROXY UNKNOWN\r\n"...)
	case s.Addr().Is4():
		dst = append(dst, "PROXY TCP4 "...)
	default:
		dst = append(dst, "PROXY TCP6 "...)
	}
	dst = append(h.Source.Addr().AppendTo(dst), ' ')
	dst = append(h.Destination.Addr().AppendTo(dst), ' ')
	dst = append(strconv.AppendUint(dst, uint64(h.Source.Port()), 10), ' ')
	dst = strconv.AppendUint(dst, uint64(h.Destination.Port()), 10)
	return append(dst, '\r', '\n')
}
