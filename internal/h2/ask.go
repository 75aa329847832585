package h2

import (
	"bytes"
	"sync"

	"rgate/internal/h1"
)

var requests = sync.Pool{New: func() any { return new(h1.Request) }}

// ask writes the head of a request, once it is whole.
func (s *Stream) ask(b []byte) (int, error) {
	if err := s.roomForHead(); err != nil {
		return 0, err
	}
	text, had := b, len(s.head)
	if had > 0 {
		s.head = append(s.head, b...)
		text = s.head
	}
	r := requests.Get().(*h1.Request)
	defer func() {
		r.Reset()
		requests.Put(r)
	}()
	r.Reset()
	n, err := h1.ParseRequest(text, wide, r)
	switch {
	case err != nil:
		s.err = err // the other side knows nothing of it
		return 0, err
	case n == 0:
		if had == 0 {
			s.head = append(s.head, b...)
		}
		return len(b), nil
	}
	if err := s.begin(); err != nil {
		return 0, err
	}
	s.sayRequest(r)
	s.head = nil
	return n - had, nil
}

// sayRequest sends the head of a request of HTTP/1.1. What that says of its own
// connection stays here, but for the word that trailers are taken.
func (s *Stream) sayRequest(r *h1.Request) {
	c := s.c
	s.method = string(r.Method)
	scheme := "http"
	if c.o.Secure {
		scheme = "https"
	}
	c.encoded.Reset()
	c.encode(":method", s.method)
	c.encode(":scheme", scheme)
	if len(r.Host) > 0 {
		c.encode(":authority", string(r.Host))
	}
	c.encode(":path", string(r.Target))
	for i := range r.Fields {
		f := &r.Fields[i]
		switch {
		case f.ID == h1.FieldHost:
		case f.ID == h1.FieldTE:
			if takesTrailers(f.Value) {
				c.encode("te", "trailers")
			}
		case f.Hop:
		default:
			c.field(f)
		}
	}
	r.Body(&s.body, h1.Limits{})
	s.phase = atBody
	s.sayBlock(s.body.Done())
}

// takesTrailers tells whether a TE field says so (RFC 9110 §10.1.4).
func takesTrailers(te []byte) bool {
	for word := range bytes.SplitSeq(te, []byte{','}) {
		if bytes.EqualFold(bytes.TrimSpace(word), trailers) {
			return true
		}
	}
	return false
}

var trailers = []byte("trailers")
