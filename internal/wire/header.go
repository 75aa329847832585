package wire

import (
	"bytes"
	"strings"

	"rgate/internal/h1"
	"rgate/internal/proxy"
)

// Header shows a parsed request head to package proxy.
type Header struct{ Request *h1.Request }

// Get implements proxy.Header.
func (h *Header) Get(name string) []byte {
	for i := range h.Request.Fields {
		if f := &h.Request.Fields[i]; len(f.Name) == len(name) && foldEqual(f.Name, name) {
			return f.Value
		}
	}
	return nil
}

// Join implements proxy.Header.
func (h *Header) Join(dst []byte, name string) []byte {
	start := len(dst)
	for i := range h.Request.Fields {
		if f := &h.Request.Fields[i]; len(f.Name) == len(name) && foldEqual(f.Name, name) {
			if len(dst) > start {
				dst = append(dst, ", "...)
			}
			dst = append(dst, f.Value...)
		}
	}
	return dst
}

// Has implements proxy.Header.
func (h *Header) Has(name string) bool {
	for i := range h.Request.Fields {
		if f := &h.Request.Fields[i]; len(f.Name) == len(name) && foldEqual(f.Name, name) {
			return true
		}
	}
	return false
}

// Count implements proxy.Header.
func (h *Header) Count(name string) int {
	n := 0
	for i := range h.Request.Fields {
		if f := &h.Request.Fields[i]; len(f.Name) == len(name) && foldEqual(f.Name, name) {
			n++
		}
	}
	return n
}

// Is implements proxy.Header.
func (h *Header) Is(name, value string) bool {
	rest, found := value, false
	for i := range h.Request.Fields {
		f := &h.Request.Fields[i]
		if len(f.Name) != len(name) || !foldEqual(f.Name, name) {
			continue
		}
		begins := true
		if found {
			rest, begins = strings.CutPrefix(rest, ", ")
		}
		if !begins || len(f.Value) > len(rest) || string(f.Value) != rest[:len(f.Value)] {
			return false
		}
		rest, found = rest[len(f.Value):], true
	}
	return found && rest == ""
}

// Cookie implements proxy.Header. Cookies may come in several fields: whoever
// makes HTTP/1.1 of HTTP/2 does not always join them.
func (h *Header) Cookie(name string) []byte {
	for i := range h.Request.Fields {
		if f := &h.Request.Fields[i]; f.ID == h1.FieldCookie {
			if value := proxy.Cookie(f.Value, name); value != nil {
				return value
			}
		}
	}
	return nil
}

// Via implements proxy.Header.
func (h *Header) Via(token []byte) bool {
	for i := range h.Request.Fields {
		if f := &h.Request.Fields[i]; f.ID == h1.FieldVia && bytes.Contains(f.Value, token) {
			return true
		}
	}
	return false
}

// foldEqual compares two names of the same length.
func foldEqual(a []byte, b string) bool {
	for i := range a {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z' {
			return false
		}
	}
	return true
}

// Target is the path and query of a request target (RFC 9112 §3.2).
func Target(r *h1.Request) []byte {
	if r.Form != h1.FormAbsolute {
		return r.Target
	}
	rest := r.Target[bytes.Index(r.Target, []byte("://"))+3:]
	at := bytes.IndexAny(rest, "/?")
	switch {
	case at < 0:
		return []byte("/")
	case rest[at] == '?':
		return append([]byte("/"), rest[at:]...)
	}
	return rest[at:]
}
