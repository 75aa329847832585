package route

import (
	"strings"
)

// Near says how far a route that does not take a request is from taking it.
type Near uint8

// In the order in which a route is held against a request.
const (
	OtherHost Near = iota
	OtherPath
	WithinSegment
	OtherMethod
	OtherConditions
	Outranked // it would take the request, but another comes first
	Taken     // it takes it
)

// Why says in words why r does not take q, and how near it came.
func (t *Table) Why(r *Route, q *Request) (why string, near Near) {
	taker, _ := t.Match(q)
	var space [maxHost]byte
	host := string(NormalHost(space[:0], q.Host))
	pattern, ok := r.pattern(host)
	switch {
	case r == taker:
		return "", Taken
	case !ok && host == "":
		return "it is for " + hostsName(r.Hosts) + ", and the request has no host", OtherHost
	case !ok:
		return "it is for " + hostsName(r.Hosts) + ", not for " + host, OtherHost
	case !strings.HasPrefix(string(q.Path), r.Prefix):
		return "the path does not begin with it", OtherPath
	case !r.takes(q.Path):
		return "match: segment, and the path goes on within the segment", WithinSegment
	case r.methods != 0 && r.methods&t.methods.of(q.Method) == 0:
		return "it takes " + strings.Join(t.MethodNames(r.methods), ", ") + ", not " + string(q.Method), OtherMethod
	}
	s := &search{q: q, asked: parameters{parameterNames: t.parameters}}
	if c := r.lacks(s); c != nil {
		return c.missing(s), OtherConditions
	}
	return r.outranked(pattern, taker, host), Outranked
}

// pattern is the host among those of r that takes a request for host; "" for
// any.
func (r *Route) pattern(host string) (pattern string, ok bool) {
	for _, h := range r.Hosts {
		if h == host {
			return h, true
		}
		if name, wild := strings.CutPrefix(h, "*."); wild && strings.HasSuffix(host, "."+name) && len(h) > len(pattern) {
			pattern, ok = h, true
		}
	}
	return pattern, ok || len(r.Hosts) == 0
}

// missing says what the request would need for c.
func (c *condition) missing(s *search) string {
	what, there := "the header ", s.q.Fields != nil && s.q.Fields.Has(c.Name)
	if c.query {
		what = "the query parameter "
		_, there = s.asked.in(s.q.Query, c.Name)
	}
	switch {
	case c.AnyValue:
		return "it asks for " + what + c.Name + ", which the request has not"
	case !there:
		return "it asks for " + what + c.Name + " with the value " + quoted(c.Value) + ", which the request has not"
	}
	return "it asks for " + what + c.Name + " with the value " + quoted(c.Value) + ", and the request has another"
}

// outranked says why taker comes before r, which would take a request for host,
// too.
func (r *Route) outranked(pattern string, taker *Route, host string) string {
	before, _ := taker.pattern(host)
	switch {
	case pattern != before && pattern == "":
		return "it is for every host, and " + taker.ID + " for " + before
	case pattern != before:
		return "its host " + pattern + " says less than " + before
	case r.Prefix != taker.Prefix:
		return "shorter than " + taker.Prefix
	}
	return "it asks for less than " + taker.ID
}
