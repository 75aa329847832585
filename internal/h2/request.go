package h2

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"

	"rgate/internal/h1"
)

// pseudoFields is how many a request has at most: they are not counted as fields.
const pseudoFields = 5

// asked is a request's field section, sorted.
type asked struct {
	method, scheme, authority, path, protocol *string // nil where it was not said
	host                                      *string
	length                                    string
	fields                                    []hpack.HeaderField
	cookies                                   int
}

// request words what was asked as the head of HTTP/1.1, or says why it is
// malformed.
func (s *Stream) request(k *block) {
	r, wrong := &asked{}, k.section.wrong
	if wrong == nil {
		wrong = r.sort(k.section.fields)
	}
	if wrong == nil {
		wrong = r.judge(s.c.o.Secure)
	}
	if wrong == nil && r.length != "" {
		n, err := strconv.ParseUint(r.length, 10, 63)
		if err != nil || r.length[0] == '+' {
			wrong = h1.ErrCL
		}
		s.left = int64(n)
		if k.end && n > 0 {
			wrong = ErrLength
		}
	}
	if r.method != nil {
		s.method = *r.method // of whatever answer follows
	}
	if wrong != nil {
		s.refused, s.left, s.method = wrong, -1, ""
		return
	}
	s.word(r, k.end)
}

// sort takes the section apart (RFC 9113 §8.3).
func (r *asked) sort(all []hpack.HeaderField) *h1.Error {
	for i := range all {
		f := &all[i]
		if !f.IsPseudo() {
			if wrong := r.add(f); wrong != nil {
				return wrong
			}
			continue
		}
		if len(r.fields) > 0 || r.host != nil || r.length != "" {
			return ErrPseudoLate
		}
		at := r.pseudo(f.Name)
		switch {
		case at == nil:
			return ErrPseudoUnknown
		case *at != nil:
			return ErrPseudoTwice
		case !validValue(f.Value):
			return ErrValue
		}
		*at = &f.Value
	}
	return nil
}

func (r *asked) pseudo(name string) **string {
	switch name {
	case ":method":
		return &r.method
	case ":scheme":
		return &r.scheme
	case ":authority":
		return &r.authority
	case ":path":
		return &r.path
	case ":protocol":
		return &r.protocol
	}
	return nil
}

func (r *asked) add(f *hpack.HeaderField) *h1.Error {
	if wrong := checkField(f); wrong != nil {
		return wrong
	}
	switch f.Name {
	case "host":
		if r.host != nil {
			return h1.ErrHostRepeated
		}
		r.host = &f.Value
		return nil
	case "content-length":
		if r.length != "" {
			return h1.ErrCLRepeated
		}
		if r.length = f.Value; f.Value == "" {
			return h1.ErrCL
		}
		return nil
	case "cookie":
		r.cookies++
	}
	r.fields = append(r.fields, *f)
	return nil
}

// judge looks at what was said together (RFC 9113 §8.3.1, §8.5; RFC 8441 §4).
func (r *asked) judge(secure bool) *h1.Error {
	if r.method == nil {
		return ErrPseudoMissing
	}
	if !token(*r.method) {
		return ErrMethod
	}
	if *r.method == "CONNECT" && r.protocol == nil {
		if r.scheme != nil || r.path != nil || r.authority == nil {
			return ErrConnect
		}
		return nil
	}
	if r.protocol != nil && *r.method != "CONNECT" {
		return ErrPseudoUnknown
	}
	if r.scheme == nil || r.path == nil {
		return ErrPseudoMissing
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	switch {
	case !strings.EqualFold(*r.scheme, scheme):
		return ErrScheme
	case !validPath(*r.path, *r.method):
		return ErrPath
	case r.authority == nil && (r.host == nil || r.protocol != nil):
		return ErrAuthority
	case r.authority != nil && r.host != nil && !strings.EqualFold(*r.authority, *r.host):
		return ErrHostDiffers
	case r.protocol != nil && *r.protocol != "websocket":
		return ErrProtocol
	}
	return nil
}

// validPath is for what HTTP/1.1 has between two spaces: whatever else there is to
// be said of it, that says.
func validPath(path, method string) bool {
	if path == "*" {
		return method == "OPTIONS"
	}
	for i := 0; i < len(path); i++ {
		if c := path[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return false
		}
	}
	return path != "" && path[0] == '/'
}

// word makes the head of HTTP/1.1.
func (s *Stream) word(r *asked, end bool) {
	host := r.authority
	if host == nil {
		host = r.host
	}
	method, target := *r.method, *host
	if r.path != nil {
		target = *r.path
	}
	websocket := r.protocol != nil
	if websocket {
		method = "GET"
	}
	b := make([]byte, 0, 512)
	b = append(append(append(b, method...), ' '), target...)
	b = append(b, " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", *host)
	cookies := 0
	for i := range r.fields {
		f := &r.fields[i]
		if f.Name == "cookie" {
			if cookies++; cookies == 1 {
				b = appendCookies(b, r.fields[i:])
			}
			continue
		}
		if websocket && strings.HasPrefix(f.Name, "sec-websocket-") && (f.Name == "sec-websocket-key" || f.Name == "sec-websocket-accept") {
			continue // of HTTP/1.1 alone (RFC 8441 §5)
		}
		b = appendField(b, f.Name, f.Value)
	}
	switch {
	case websocket:
		b = s.wordUpgrade(b)
	case r.length != "":
		b = appendField(b, "Content-Length", r.length)
	case !end && method != "CONNECT":
		s.chunked = true
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case method == "POST" || method == "PUT" || method == "PATCH":
		b = append(b, "Content-Length: 0\r\n"...)
	}
	if !websocket {
		b = append(b, "Connection: close\r\n"...)
	}
	s.text = append(b, '\r', '\n')
}

// appendCookies joins the crumbs of a cookie (RFC 9113 §8.2.3).
func appendCookies(b []byte, fields []hpack.HeaderField) []byte {
	b = append(b, "cookie: "...)
	sep := ""
	for i := range fields {
		if fields[i].Name == "cookie" {
			b = append(append(b, sep...), fields[i].Value...)
			sep = "; "
		}
	}
	return append(b, '\r', '\n')
}

// wordUpgrade asks as HTTP/1.1 does for what HTTP/2 asks for by CONNECT.
func (s *Stream) wordUpgrade(b []byte) []byte {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455 §4.2.2
	s.accept = base64.StdEncoding.EncodeToString(sum[:])
	b = append(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	return appendField(b, "Sec-WebSocket-Key", key)
}
