package h2

import (
	"strings"

	"golang.org/x/net/http2/hpack"

	"rgate/internal/h1"
)

// checkField tells what is wrong with a field as such (RFC 9113 §8.2). Its name is
// a token in lower case, and its value has nothing in it or around it that would
// mean something in HTTP/1.1.
func checkField(f *hpack.HeaderField) *h1.Error {
	if !lowerToken(f.Name) {
		return ErrName
	}
	if !validValue(f.Value) {
		return ErrValue
	}
	switch f.Name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
		return ErrConnection
	case "te":
		if !strings.EqualFold(f.Value, "trailers") {
			return ErrTE
		}
	}
	return nil
}

func lowerToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !tokenByte(c) || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return s != ""
}

func token(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// tokenByte is tchar of RFC 9110 §5.6.2.
func tokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c != 0 && strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func validValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return s == "" || !space(s[0]) && !space(s[len(s)-1])
}

func space(c byte) bool { return c == ' ' || c == '\t' }

// appendField appends a field line of HTTP/1.1.
func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':', ' ')
	dst = append(dst, value...)
	return append(dst, '\r', '\n')
}

// field encodes a field of HTTP/1.1.
func (c *Conn) field(f *h1.Field) {
	name := f.ID.String()
	if name == "" {
		name = strings.ToLower(string(f.Name))
	}
	c.encode(name, string(f.Value))
}

func (c *Conn) encode(name, value string) {
	_ = c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) // a bytes.Buffer takes all
}

func lower(name []byte) string { return strings.ToLower(string(name)) }

// field is the value of the only field of that name; "" where there is none, or
// more.
func field(fields []h1.Field, name string) (value string) {
	found := 0
	for i := range fields {
		if strings.EqualFold(string(fields[i].Name), name) {
			value = string(fields[i].Value)
			found++
		}
	}
	if found != 1 {
		return ""
	}
	return value
}
