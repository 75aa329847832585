package wire

import (
	"rgate/internal/h1"
)

// preface is what a client that knows of HTTP/2 says first (RFC 9113 §3.4), as
// far as the parser of HTTP/1.1 reads it.
const preface = "PRI * HTTP/2.0\r\n"

// Foresees tells whether b, which the parser refused with err, begins as HTTP/2
// does where nobody was asked for it.
func Foresees(b []byte, err error) bool {
	return err == h1.ErrMajor && len(b) >= len(preface) && string(b[:len(preface)]) == preface
}
