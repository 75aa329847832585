//go:build linux

package conformance

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strconv"
)

// identity marks all that belongs to one exchange: its paths, fields, bodies and
// trailers are made of it, on both sides. Its text looks the same wherever it
// stands, so that a stray one is found in raw bytes, whatever they were meant to
// be.
type identity uint32

// places is how many exchanges a connection may have. What stands in the last
// place must never reach an endpoint.
const (
	places    = 16
	mootPlace = places - 1
)

func identityOf(conn uint32, place int) identity { return identity(conn*places + uint32(place)) }

func (id identity) String() string { return fmt.Sprintf("Zq%08xqZ", uint32(id)) }
func (id identity) conn() uint32   { return uint32(id) / places }
func (id identity) moot() bool     { return id%places == mootPlace }

// client is the address that the connection of id comes from.
func (id identity) client() string {
	n := id.conn()
	return fmt.Sprintf("127.3.%d.%d", n/250%250, 1+n%250)
}

// marks are the numbers between opening and closing in raw, in order.
func marks(raw []byte, opening, closing string) (all []uint32) {
	for {
		at := bytes.Index(raw, []byte(opening))
		if at < 0 {
			return all
		}
		raw = raw[at+len(opening):]
		if len(raw) < 8+len(closing) || string(raw[8:8+len(closing)]) != closing {
			continue
		}
		if n, err := strconv.ParseUint(string(raw[:8]), 16, 32); err == nil {
			all = append(all, uint32(n))
		}
	}
}

// identities are all that occur in raw.
func identities(raw []byte) (all []identity) {
	for _, n := range marks(raw, "Zq", "qZ") {
		all = append(all, identity(n))
	}
	return all
}

// stray is the first identity in raw that is not id.
func stray(raw []byte, id identity) (other identity, found bool) {
	for _, other := range identities(raw) {
		if other != id {
			return other, true
		}
	}
	return 0, false
}

// poisoned tells whether raw holds memory that was given back: all that is sent
// here is text. See poison.go of package loop.
func poisoned(raw []byte) bool { return bytes.IndexByte(raw, 0xDB) >= 0 }

// letter is n bytes that tell at every place whose they are, which way they go
// and how far in they stand.
func letter(id identity, way byte, n int) []byte {
	line := []byte(id.String() + string(way) + "00000000\n")
	b := make([]byte, 0, n+len(line))
	for len(b) < n {
		b = append(b, line...)
		at := len(line) - 2
		for ; line[at] == '9'; at-- {
			line[at] = '0'
		}
		line[at]++
	}
	return b[:n]
}

// sum is what an endpoint says of the body it got.
func sum(body []byte) string {
	return fmt.Sprintf("%d-%08x", len(body), crc32.ChecksumIEEE(body))
}
