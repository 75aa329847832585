package route

import (
	"net/url"
	"strings"

	"rgate/internal/config"
)

// condition is what a route asks of one header or query parameter.
type condition struct {
	config.Condition
	query bool
}

// lacks returns the first condition of r that the request does not hold, or nil.
func (r *Route) lacks(s *search) *condition {
	for i := range r.conditions {
		if c := &r.conditions[i]; !c.holds(s) {
			return c
		}
	}
	return nil
}

func (c *condition) holds(s *search) bool {
	q := s.q
	switch {
	case c.query:
		value, found := s.asked.in(q.Query, c.Name)
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
		return "?" + escaped(c.Name)
	case c.query:
		return "?" + escaped(c.Name) + "=" + escaped(c.Value)
	case c.AnyValue:
		return c.Name
	}
	return c.Name + "=" + quoted(c.Value)
}

// escaped is a name or value as it could be sent.
func escaped(text string) string { return url.QueryEscape(text) }

// quoted is value, in quotes where it would not stand as one word.
func quoted(value string) string {
	if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' }) {
		return quote(value)
	}
	return value
}
