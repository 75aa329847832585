package config

import "slices"

// Of the routes that could take a request one has to come first, whatever their
// order in the file: by host, then by prefix, then by how much they ask for
// besides. Two that are alike in all of that and could both take one request are
// a mistake.

// What a file may have of routes, so that neither it nor a request costs too
// much.
const (
	maxHosts    = 100_000 // of all routes together
	maxAlike    = 200     // routes of one host and prefix: a request may be held against all of them
	maxMethods  = 64      // different ones in all routes together
	manyMethods = "more than 64 different methods are in use"

	MaxParameters  = 32 // different query parameters that routes ask for
	manyParameters = "the routes ask for more than 32 different query parameters"
)

// Conditions counts what a route asks for besides its host and prefix: methods
// are one thing, each header and each query parameter is one more.
func (r *Route) Conditions() int {
	n := len(r.Headers) + len(r.Query)
	if len(r.Methods) > 0 {
		n++
	}
	return n
}

// plain tells whether a route asks for its prefix alone.
func (r *Route) plain() bool { return len(r.Hosts) == 0 && r.Conditions() == 0 }

// excludes tells whether no request can be taken by both, as far as methods,
// headers and query go.
func (r *Route) excludes(other *Route) bool {
	if len(r.Methods) > 0 && len(other.Methods) > 0 && !slices.ContainsFunc(r.Methods, func(m string) bool { return slices.Contains(other.Methods, m) }) {
		return true
	}
	return exclude(r.Headers, other.Headers) || exclude(r.Query, other.Query)
}

// exclude compares two lists that are sorted by name.
func exclude(a, b []Condition) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].excludes(b[0]):
			return true
		case a[0].Name < b[0].Name:
			a = a[1:]
		case a[0].Name > b[0].Name:
			b = b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return false
}

// places finds routes that stand in each other's way.
type places struct {
	d       *decoder
	at      map[place][]*routeDraft
	hosts   int // so far
	methods map[string]bool
	query   map[string]bool // its parameters
}

// place is where routes stand beside each other. The empty host is any.
type place struct{ host, prefix string }

var anyHost = []string{""}

// add puts r in its places, and reports one that it cannot have.
func (p *places) add(r *routeDraft) {
	if p.hosts += len(r.Hosts); p.hosts > maxHosts && p.hosts-len(r.Hosts) <= maxHosts {
		p.d.problem(r.item, "a wildcard such as `*.example.com` takes all names below it", "with this one the routes have more than %d hosts", maxHosts)
	}
	if p.hosts > maxHosts || r.PathPrefix == "" || r.wrong {
		return
	}
	for _, m := range r.Methods {
		if p.methods[m] = true; len(p.methods) == maxMethods+1 {
			p.d.problem(r.item, "leave `methods` out where every method will do", manyMethods)
		}
	}
	for _, c := range r.Query {
		if p.query[c.Name] = true; len(p.query) == MaxParameters+1 {
			p.d.problem(r.item, "a prefix or a header does as well", manyParameters)
		}
	}
	hosts := r.Hosts
	if len(hosts) == 0 {
		hosts = anyHost
	}
	for _, host := range hosts {
		at := place{host, r.PathPrefix}
		there := p.at[at]
		for _, other := range there {
			if other.Conditions() == r.Conditions() && !other.excludes(&r.Route) {
				p.tied(r, other, host)
				return
			}
		}
		if len(there) == maxAlike {
			p.d.problem(r.item, "give them longer prefixes, or tell them apart behind rgate", "more than %d routes have the same host and the prefix %s", maxAlike, shown(r.PathPrefix))
			return
		}
		p.at[at] = append(there, r)
	}
}

// tied reports two routes of which none comes first.
func (p *places) tied(r, other *routeDraft, host string) {
	n := r.item
	if r.prefix != nil {
		n = r.prefix
	}
	if r.plain() {
		p.d.problem(n, "change or remove one of the two", "two routes have the prefix %s, the first on line %d", shown(r.PathPrefix), other.prefix.Line)
		return
	}
	what := "the prefix " + shown(r.PathPrefix)
	if host != "" {
		what = "the host " + shown(host) + " and " + what
	}
	if r.Conditions() == 0 {
		p.d.problem(n, "change or remove one of the two", "two routes have %s, the first on line %d", what, other.Line)
		return
	}
	p.d.problem(n, "let one ask for more, or both for different methods, or different values of one header or parameter",
		"this route and the one on line %d could take the same request: both have %s, and ask for as much besides", other.Line, what)
}
