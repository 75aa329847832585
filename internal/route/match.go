package route

import "bytes"

// Match returns the route that takes q, or nil. Of those that could it is the
// one with the most specific host, a name before the longest wildcard before
// any; of these the one with the longest prefix, and of these the one that asks
// for the most besides. One that asks for what q lacks leaves it to the next.
//
// Where none takes q, others are the methods by which some would. It does not
// allocate.
func (t *Table) Match(q *Request) (r *Route, others Methods) {
	if t.plain {
		return t.tree.match(q.Path), 0
	}
	s := search{q: q, method: t.methods.of(q.Method), asked: parameters{parameterNames: t.parameters}}
	if len(t.hosts)+len(t.below) > 0 {
		var space [maxHost]byte
		host := NormalHost(space[:0], q.Host)
		if tree := t.hosts[string(host)]; tree != nil {
			if r := tree.find(&s); r != nil {
				return r, 0
			}
		}
		// Names below a wildcard's: the longest begins after the first dot.
		for at := dot(host); at >= 0 && len(t.below) > 0; at = dot(host) {
			host = host[at+1:]
			if tree := t.below[string(host)]; tree != nil {
				if r := tree.find(&s); r != nil {
					return r, 0
				}
			}
		}
	}
	if r := t.tree.find(&s); r != nil {
		return r, 0
	}
	return nil, s.others
}

// Plain tells whether no route of t asks for more than a prefix: the path is
// then all that Match looks at.
func (t *Table) Plain() bool { return t.plain }

func dot(host []byte) int { return bytes.IndexByte(host, '.') }

// search is one look for a route that may ask for more than a host and prefix.
type search struct {
	q      *Request
	method Methods // of q; none where no route names it
	others Methods // by which routes would take q

	asked parameters // of the query, once a route asked for one
}

// find returns the route of t that takes the request, or nil.
func (t *tree) find(s *search) *Route {
	var best *Route
	for at := 0; ; {
		if r := t.taker(s); r != nil {
			best = r
		}
		if t = t.next(s.q.Path, at); t == nil {
			return best
		}
		at += len(t.label)
	}
}

// taker returns the first of the routes of t's own prefix that takes the
// request, or nil.
func (t *tree) taker(s *search) *Route {
	for _, r := range t.asking {
		if !r.takes(s.q.Path) || r.lacks(s) != nil {
			continue
		}
		if r.methods == 0 || r.methods&s.method != 0 {
			return r
		}
		s.others |= r.methods
	}
	if t.route != nil && t.route.takes(s.q.Path) {
		return t.route
	}
	return nil
}
