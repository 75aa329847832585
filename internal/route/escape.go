package route

// Escaped is the percent-encoded byte at raw[i] (RFC 3986 §2.1); ok is false
// where there is none.
func Escaped(raw []byte, i int) (c byte, ok bool) {
	if raw[i] != '%' || i+2 >= len(raw) {
		return 0, false
	}
	high, low := unhex(raw[i+1]), unhex(raw[i+2])
	return byte(high<<4 | low), high >= 0 && low >= 0
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
