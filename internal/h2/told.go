package h2

import (
	"strconv"

	"golang.org/x/net/http2/hpack"

	"rgate/internal/h1"
)

// sort takes the section apart (RFC 9113 §8.3.2).
func (a *told) sort(all []hpack.HeaderField) *h1.Error {
	for i := range all {
		f := &all[i]
		switch {
		case !f.IsPseudo():
			if wrong := checkField(f); wrong != nil {
				return wrong
			}
			a.trailer = a.trailer || f.Name == "trailer"
			if f.Name != "content-length" {
				a.fields = append(a.fields, *f)
				continue
			}
			if a.length != "" && a.length != f.Value {
				return h1.ErrCLRepeated
			}
			if a.length = f.Value; f.Value == "" {
				return h1.ErrCL
			}
		case len(a.fields) > 0 || a.length != "":
			return ErrPseudoLate
		case f.Name != ":status":
			return ErrPseudoUnknown
		case a.status != 0:
			return ErrPseudoTwice
		default:
			n, err := strconv.Atoi(f.Value)
			if err != nil || len(f.Value) != 3 || n < 100 || n > 999 {
				return ErrStatus
			}
			a.status = n
		}
	}
	if a.status == 0 || a.status == 101 { // HTTP/2 has no such change of protocols (RFC 9113 §8.6)
		return ErrStatus
	}
	return nil
}

// wordAnswer makes the head of HTTP/1.1. With end nothing comes after it.
func (s *Stream) wordAnswer(a *told, end bool) *h1.Error {
	interim := a.status < 200
	if interim && end {
		return ErrStatus
	}
	bare := interim || s.method == "HEAD" || a.status == 204 || a.status == 304
	if a.length != "" {
		n, err := strconv.ParseUint(a.length, 10, 63)
		switch {
		case err != nil || a.length[0] == '+':
			return h1.ErrCL
		case end && n > 0 && !bare:
			return ErrLength
		}
		s.left = int64(n)
	}
	s.text = h1.AppendStatusLine(s.text, a.status)
	for i := range a.fields {
		s.text = appendField(s.text, a.fields[i].Name, a.fields[i].Value)
	}
	switch {
	case interim:
		s.left = -1
		s.text = append(s.text, '\r', '\n')
		return nil
	case a.length != "" && a.status != 204 && (bare || end || !a.trailer): // which has no place behind a length
		s.text = appendField(s.text, "Content-Length", a.length)
	case bare:
	case end:
		s.text = append(s.text, "Content-Length: 0\r\n"...)
	default:
		s.chunked = true
		s.text = append(s.text, "Transfer-Encoding: chunked\r\n"...)
	}
	if bare {
		s.left = 0
	}
	s.headed = true
	s.text = append(s.text, "Connection: close\r\n\r\n"...)
	return nil
}
