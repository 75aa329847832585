package proxyproto

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// A header of version 2 begins with the signature, a byte for version and command,
// one for family and transport, and two for how long what follows is: addresses,
// then fields of a type, a length and a value.
const (
	fixed2 = len(signature) + 4

	local = 0x20
	proxy = 0x21

	unspecified = 0x00
	tcp4        = 0x11
	tcp6        = 0x21
	unix        = 0x31

	typeChecksum = 0x03 // PP2_TYPE_CRC32C
)

func parse2(b []byte) (h Header, size int, err error) {
	if len(b) < fixed2 {
		// The shortest header of version 1 is shorter, and no more may be read
		// before it is known which of them this is.
		if len(b) < shortest {
			return h, shortest, nil
		}
		return h, fixed2, nil
	}
	command, family := b[len(signature)], b[len(signature)+1]
	if command != local && command != proxy {
		return h, 0, ErrVersion
	}
	size = fixed2 + int(binary.BigEndian.Uint16(b[fixed2-2:]))
	switch {
	case size > MaxSize:
		return h, 0, ErrSize
	case size > len(b):
		return h, size, nil
	}
	at := fixed2
	switch family {
	case unspecified:
	case tcp4:
		at += 12
	case tcp6:
		at += 36
	case unix:
		at += 216
	default:
		if command == proxy {
			return h, 0, ErrFamily
		}
		return h, size, nil // all of it is to be skipped
	}
	if at > size {
		return h, 0, ErrMalformed
	}
	if command == proxy {
		h = addresses(b[fixed2:at], family)
	}
	if err := check(b[:size], at); err != nil {
		return Header{}, 0, err
	}
	return h, size, nil
}

// addresses are those of a block: source, destination and their ports.
func addresses(block []byte, family byte) (h Header) {
	var n int // of one
	switch family {
	case tcp4:
		n = 4
	case tcp6:
		n = 16
	default:
		return h
	}
	source, _ := netip.AddrFromSlice(block[:n]) // it is as long as one
	destination, _ := netip.AddrFromSlice(block[n : 2*n])
	ports := block[2*n:]
	return Header{
		netip.AddrPortFrom(source.Unmap(), binary.BigEndian.Uint16(ports)),
		netip.AddrPortFrom(destination.Unmap(), binary.BigEndian.Uint16(ports[2:])),
	}
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	zeros      [4]byte
)

// check goes over the fields of a header, which begin at, and verifies its
// checksum where one of them is that: it is of the header with zeros in its place.
func check(header []byte, at int) error {
	sum := -1 // where it is
	for at < len(header) {
		if len(header)-at < 3 {
			return ErrMalformed
		}
		value := at + 3
		n := int(binary.BigEndian.Uint16(header[at+1:]))
		if n > len(header)-value {
			return ErrMalformed
		}
		if header[at] == typeChecksum {
			if n != 4 || sum >= 0 {
				return ErrMalformed
			}
			sum = value
		}
		at = value + n
	}
	if sum < 0 {
		return nil
	}
	got := crc32.Update(0, castagnoli, header[:sum])
	got = crc32.Update(got, castagnoli, zeros[:])
	got = crc32.Update(got, castagnoli, header[sum+4:])
	if got != binary.BigEndian.Uint32(header[sum:]) {
		return ErrChecksum
	}
	return nil
}

func append2(dst []byte, h Header) []byte {
	dst = append(dst, signature...)
	switch s := h.Source; {
	case !h.Known():
		return append(dst, local, unspecified, 0, 0)
	case s.Addr().Is4():
		dst = append(dst, proxy, tcp4, 0, 12)
	default:
		dst = append(dst, proxy, tcp6, 0, 36)
	}
	dst = appendAddress(appendAddress(dst, h.Source.Addr()), h.Destination.Addr())
	dst = binary.BigEndian.AppendUint16(dst, h.Source.Port())
	return binary.BigEndian.AppendUint16(dst, h.Destination.Port())
}

func appendAddress(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		b := a.As4()
		return append(dst, b[:]...)
	}
	b := a.As16()
	return append(dst, b[:]...)
}
