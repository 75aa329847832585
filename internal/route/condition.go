package route

import (
	"bytes"
	"net/url"
	"strings"

	"rgate/internal/config"
)

// condition is what a route asks of one header or query parameter.
type condition struct {
	config.Condition
	query bool
}

// lacks returns the first condition of r that q does not hold, or nil.
func (r *Route) lacks(q *Request) *condition {
	for i := range r.conditions {
		if c := &r.conditions[i]; !c.holds(q) {
			return c
		}
	}
	return nil
}

func (c *condition) holds(q *Request) bool {
	switch {
	case c.query:
		value, found := parameter(q.Query, c.Name)
		return found && (c.AnyValue || reads(value, c.Value))
	case q.Fields == nil:
		return false
	case c.AnyValue:
		return q.Fields.Has(c.Name)
	}
	return q.Fields.Is(c.Name, c.Value)
}

// String is the condition as a route's name has it.
func (c *condition) String() string {
	switch {
	case c.query && c.AnyValue:
		return "?" + url.QueryEscape(c.Name)
	case c.query:
		return "?" + url.QueryEscape(c.Name) + "=" + url.QueryEscape(c.Value)
	case c.AnyValue:
		return c.Name
	}
	return c.Name + "=" + quoted(c.Value)
}

// quoted is value, in quotes where it would not stand as one word.
func quoted(value string) string {
	if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' }) {
		return quote(value)
	}
	return value
}

// parameter finds the first parameter of that name in a query, with its value as
// it was sent.
func parameter(query []byte, name string) (value []byte, found bool) {
	if len(query) > 0 && query[0] == '?' {
		query = query[1:]
	}
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte{'&'})
		key, value, _ := bytes.Cut(pair, []byte{'='})
		if len(pair) > 0 && reads(key, name) {
			return value, true
		}
	}
	return nil, false
}

// reads tells whether raw, a part of a query, is text once it is decoded as that
// of a form (a plus is a space). A percent sign without two digits stands for
// itself.
func reads(raw []byte, text string) bool {
	at := 0
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(raw) && digit(raw[i+1]) >= 0 && digit(raw[i+2]) >= 0:
			c = byte(digit(raw[i+1])<<4 | digit(raw[i+2]))
			i += 2
		}
		if at == len(text) || text[at] != c {
			return false
		}
		at++
	}
	return at == len(text)
}

func digit(c byte) int {
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
