package proxyproto

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/netip"
	"strings"
	"testing"
)

func of(source, destination string) Header {
	return Header{netip.MustParseAddrPort(source), netip.MustParseAddrPort(destination)}
}

// two is a header of version 2 with these bytes after its length.
func two(command, family byte, rest string) string {
	return signature + string([]byte{command, family, byte(len(rest) >> 8), byte(len(rest))}) + rest
}

// field is one of type, length and value.
func field(kind byte, value string) string {
	return string([]byte{kind, byte(len(value) >> 8), byte(len(value))}) + value
}

const block4 = "\xc0\x00\x02\x07\x0a\x00\x00\x01\xc8\x22\x01\xbb"

var block6 = strings.Repeat("\x20", 16) + strings.Repeat("\x21", 16) + "\xc8\x22\x01\xbb"

// summed is a header with a right checksum before what else it tells.
func summed(rest string) string {
	h := []byte(two(proxy, tcp4, block4+field(typeChecksum, "\x00\x00\x00\x00")+rest))
	sum := crc32.Checksum(h, crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(h[fixed2+12+3:], sum)
	return string(h)
}

var accepted = []struct {
	name, raw string
	want      Header
}{
	{"1, IPv4", "PROXY TCP4 192.0.2.7 10.0.0.1 51234 443\r\n", of("192.0.2.7:51234", "10.0.0.1:443")},
	{"1, IPv6", "PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n", of("[2001:db8::7]:1", "[2001:db8::1]:65535")},
	{"1, IPv4 in IPv6", "PROXY TCP6 ::ffff:192.0.2.7 ::1 0 1\r\n", of("192.0.2.7:0", "[::1]:1")},
	{"1, unknown", "PROXY UNKNOWN\r\n", Header{}},
	{"1, unknown and more", "PROXY UNKNOWN ffff::1 whatever\x01\r\n", Header{}},
	{"1, the longest", "PROXY UNKNOWN " + strings.Repeat("x", longest1-16) + "\r\n", Header{}},
	{"2, IPv4", two(proxy, tcp4, block4), of("192.0.2.7:51234", "10.0.0.1:443")},
	{"2, IPv6", two(proxy, tcp6, block6), of("[2020:2020:2020:2020:2020:2020:2020:2020]:51234", "[2121:2121:2121:2121:2121:2121:2121:2121]:443")},
	{"2, local", two(local, unspecified, ""), Header{}},
	{"2, local with addresses", two(local, tcp4, block4), Header{}},
	{"2, local of whatever", two(local, 0x77, "whatever"), Header{}},
	{"2, unspecified", two(proxy, unspecified, field(4, "")), Header{}},
	{"2, of a UNIX socket", two(proxy, unix, strings.Repeat("\x00", 216)), Header{}},
	{"2, with fields", two(proxy, tcp4, block4+field(4, "")+field(0x20, "\x01\x00\x00\x00\x00")), of("192.0.2.7:51234", "10.0.0.1:443")},
	{"2, with a checksum", summed(field(5, "id")), of("192.0.2.7:51234", "10.0.0.1:443")},
	{"2, the longest", two(proxy, tcp4, block4+field(4, strings.Repeat("\x00", MaxSize-fixed2-12-3))), of("192.0.2.7:51234", "10.0.0.1:443")},
}

var refused = []struct {
	name, raw string
	want      error
}{
	{"HTTP", "GET / HTTP/1.1\r\n", ErrNone},
	{"TLS", "\x16\x03\x01\x02\x00", ErrNone},
	{"lower case", "proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n", ErrNone},
	{"almost 2", "\r\n\r\n\x00\r\nQUIT\r", ErrNone},
	{"1, LF alone", "PROXY UNKNOWN\n", ErrMalformed},
	{"1, LF at once", "PROXY \n", ErrMalformed},
	{"1, too long", "PROXY UNKNOWN " + strings.Repeat("x", longest1-15) + "\r\n", ErrSize},
	{"1, endless", "PROXY TCP4 " + strings.Repeat("1", 200), ErrSize},
	{"1, UDP", "PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n", ErrFamily},
	{"1, no family", "PROXY  TCP4 192.0.2.7 10.0.0.1 1 2\r\n", ErrFamily},
	{"1, two spaces", "PROXY TCP4 192.0.2.7  10.0.0.1 1 2\r\n", ErrMalformed},
	{"1, a space too many", "PROXY TCP4 192.0.2.7 10.0.0.1 1 2 \r\n", ErrMalformed},
	{"1, a port too few", "PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n", ErrMalformed},
	{"1, nothing but the family", "PROXY TCP4\r\n", ErrMalformed},
	{"1, another family", "PROXY TCP4 ::1 ::1 1 2\r\n", ErrMalformed},
	{"1, families mixed", "PROXY TCP6 ::1 10.0.0.1 1 2\r\n", ErrMalformed},
	{"1, leading zeros", "PROXY TCP4 192.0.2.07 10.0.0.1 1 2\r\n", ErrMalformed},
	{"1, a port with a zero", "PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n", ErrMalformed},
	{"1, a port with a sign", "PROXY TCP4 192.0.2.7 10.0.0.1 +1 2\r\n", ErrMalformed},
	{"1, a port too large", "PROXY TCP4 192.0.2.7 10.0.0.1 1 65536\r\n", ErrMalformed},
	{"1, a name", "PROXY TCP4 localhost 10.0.0.1 1 2\r\n", ErrMalformed},
	{"1, a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", ErrMalformed},
	{"2, version 1", two(0x11, tcp4, block4), ErrVersion},
	{"2, an unknown command", two(0x22, tcp4, block4), ErrVersion},
	{"2, UDP", two(proxy, 0x12, block4), ErrFamily},
	{"2, an unknown family", two(proxy, 0x41, block4), ErrFamily},
	{"2, cut short", two(proxy, tcp4, block4[:11]), ErrMalformed},
	{"2, too long", signature + "\x21\x11\xff\xff", ErrSize},
	{"2, a field cut short", two(proxy, tcp4, block4+"\x04\x00"), ErrMalformed},
	{"2, a field that goes on", two(proxy, tcp4, block4+"\x04\x00\x02x"), ErrMalformed},
	{"2, a wrong checksum", two(proxy, tcp4, block4+field(typeChecksum, "\x00\x00\x00\x00")), ErrChecksum},
	{"2, half a checksum", two(proxy, tcp4, block4+field(typeChecksum, "\x00\x00")), ErrMalformed},
	{"2, two checksums", summed(field(typeChecksum, "\x00\x00\x00\x00")), ErrMalformed},
	{"2, what the checksum is of was changed", strings.Replace(summed(field(5, "id")), "id", "ie", 1), ErrChecksum},
}

func TestAccepted(t *testing.T) {
	for _, c := range accepted {
		for _, rest := range []string{"", "GET / HTTP/1.1\r\n\r\n", "\r\n"} {
			h, n, err := Parse([]byte(c.raw + rest))
			if h != c.want || n != len(c.raw) || err != nil {
				t.Errorf("%s: %v of %d bytes, %v", c.name, h, n, err)
			}
		}
	}
}

// Who reads as many bytes as must come, and no more, ends with the header.
func TestReadExactly(t *testing.T) {
	for _, c := range accepted {
		rest := c.raw + "GET /"
		for size, reads := 0, 0; ; reads++ {
			_, n, err := Parse([]byte(rest[:size]))
			if err != nil || n > len(c.raw) || reads > longest1 {
				t.Fatalf("%s: after %d bytes %d, %v", c.name, size, n, err)
			}
			if n == size {
				if size != len(c.raw) {
					t.Errorf("%s ended after %d bytes", c.name, size)
				}
				break
			}
			size = n
		}
		for size := range len(c.raw) {
			if h, n, err := Parse([]byte(c.raw[:size])); n <= size || h.Known() || err != nil {
				t.Errorf("%s: %d bytes of it are %v, %d, %v", c.name, size, h, n, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range refused {
		if h, n, err := Parse([]byte(c.raw)); err != c.want || n != 0 || h.Known() {
			t.Errorf("%s: %v, %d, %v", c.name, h, n, err)
		}
	}
}

func TestAppend(t *testing.T) {
	zone := netip.AddrPortFrom(netip.MustParseAddr("fe80::1%eth0"), 5)
	for _, c := range []struct {
		h, want Header
		first   string
	}{
		{of("192.0.2.7:51234", "10.0.0.1:443"), of("192.0.2.7:51234", "10.0.0.1:443"), accepted[0].raw},
		{of("[2001:db8::7]:1", "[2001:db8::1]:65535"), of("[2001:db8::7]:1", "[2001:db8::1]:65535"), accepted[1].raw},
		{Header{}, Header{}, "PROXY UNKNOWN\r\n"},
		{of("[::ffff:192.0.2.7]:1", "10.0.0.1:2"), of("192.0.2.7:1", "10.0.0.1:2"), "PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n"},
		{of("192.0.2.7:1", "[::1]:2"), of("192.0.2.7:1", "[::1]:2"), "PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"},
		{Header{Source: zone}, of("[fe80::1]:5", "[::]:0"), "PROXY TCP6 fe80::1 :: 5 0\r\n"},
		{Header{Source: netip.MustParseAddrPort("192.0.2.7:1")}, of("192.0.2.7:1", "0.0.0.0:0"), "PROXY TCP4 192.0.2.7 0.0.0.0 1 0\r\n"},
	} {
		if got := Append(nil, 1, c.h); string(got) != c.first {
			t.Errorf("%v is %q", c.h, got)
		}
		for version := 1; version <= 2; version++ {
			b := Append([]byte("before"), version, c.h)
			if h, n, err := Parse(b[len("before"):]); h != c.want || n != len(b)-len("before") || err != nil {
				t.Errorf("%v came back as %v, %d, %v", c.h, h, n, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range accepted {
		f.Add([]byte(c.raw))
	}
	for _, c := range refused {
		f.Add([]byte(c.raw))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := Parse(b)
		if err != nil {
			if n != 0 || h.Known() {
				t.Errorf("refused, and yet %v, %d", h, n)
			}
			return
		}
		if n > MaxSize || n <= 0 {
			t.Fatalf("a header of %d bytes", n)
		}
		if n > len(b) {
			if more, need, err := Parse(append(bytes.Clone(b), 0)); err == nil && need == len(b)+1 && need < n {
				t.Errorf("%d bytes were to come, and one was enough for %v", n-len(b), more)
			}
			return
		}
		// What follows does not matter, and what it says is said again the same.
		if again, m, err := Parse(b[:n]); again != h || m != n || err != nil {
			t.Errorf("alone it is %v, %d, %v", again, m, err)
		}
		for version := 1; version <= 2; version++ {
			if again, _, err := Parse(Append(nil, version, h)); again != h || err != nil {
				t.Errorf("%v came back as %v, %v", h, again, err)
			}
		}
	})
}

func TestNothingIsAllocated(t *testing.T) {
	out := make([]byte, 0, 256)
	raw := []byte(summed(field(5, "id")))
	if n := testing.AllocsPerRun(100, func() {
		h, _, _ := Parse(raw)
		Append(out, 1, h)
		Append(out, 2, h)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
