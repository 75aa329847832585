package h1

import (
	"encoding/binary"
	"math/bits"
)

// Byte classes, looked up because a table is quicker than comparisons.
const (
	classToken  = 1 << iota // tchar, RFC 9110 §5.6.2
	classTarget             // allowed in a request target: VCHAR without '#'
	classHost               // allowed in a host name: unreserved, RFC 3986 §2.3
	classText               // allowed in a field value: SP, HTAB, VCHAR, obs-text
	classHex                // HEXDIG
)

var classes = buildClasses()

func buildClasses() (t [256]uint8) {
	set := func(class uint8, s string) {
		for i := 0; i < len(s); i++ {
			t[s[i]] |= class
		}
	}
	const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	set(classToken, alnum+"!#$%&'*+-.^_`|~")
	set(classHost, alnum+"-._~")
	set(classHex, "0123456789abcdefABCDEF")
	for c := range 256 {
		if c > 0x20 && c < 0x7f && c != '#' {
			t[c] |= classTarget
		}
		if c == '\t' || c >= 0x20 && c != 0x7f {
			t[c] |= classText
		}
	}
	return t
}

func is(c byte, class uint8) bool { return classes[c]&class != 0 }

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// endOfText returns the first index at or after i whose byte may not stand in
// a field value, or len(b). It looks at eight bytes at a time: the lowest bit
// set in hit marks the first byte below 0x20 or equal to 0x7f (subtraction
// borrows only upward, so nothing below a true hit is marked by mistake).
func endOfText(b []byte, i int) int {
	for i+8 <= len(b) {
		x := binary.LittleEndian.Uint64(b[i:])
		del := x ^ (0x7f * ones)
		hit := ((x - 0x20*ones) &^ x & highs) | ((del - ones) &^ del & highs)
		if hit == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(hit) >> 3
		if b[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(b) && is(b[i], classText) {
		i++
	}
	return i
}

// trim cuts optional white space off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func lower(c byte) byte {
	if c-'A' < 26 {
		c |= 0x20
	}
	return c
}

// equalFold compares with ASCII letters alike whatever their case.
func equalFold[B, C []byte | string](a B, b C) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// nextElement cuts the first element off a comma-separated list. Empty
// elements come out empty: RFC 9110 §5.6.1 has recipients ignore them.
func nextElement(list []byte) (element, rest []byte) {
	for i, c := range list {
		if c == ',' {
			return trim(list[:i]), list[i+1:]
		}
	}
	return trim(list), nil
}
