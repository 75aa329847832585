package route

import (
	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/link"
	"rgate/internal/policy"
	"rgate/internal/stats"
	"rgate/internal/upstream"
)

// Table is one compiled snapshot: routes, backends and the endpoints of the
// moment. It never changes; a new one replaces it. The table also is the
// registry: a new one takes over what has not changed from the one before.
type Table struct {
	Config    *config.Config
	Routes    []*Route   // in the order of the file
	Backends  []*Backend // in the order of the file
	Views     []discovery.View
	Held      []string        // names and ids of containers that are drained by hand, present or not
	Unmatched *stats.Counters // requests that no route took
	Ledger    *stats.Ledger   // holds all counters of routes, those that are gone too
	byName    map[string]*Backend

	plain   bool             // no route asks for more than a prefix
	tree    tree             // routes for every host
	hosts   map[string]*tree // routes for a host
	below   map[string]*tree // routes for all names below one
	methods methodNames

	parameters *parameterNames
}

// Route is one compiled route.
type Route struct {
	ID       string   // tells it apart from all others of its table; the prefix where it asks for nothing else
	Hosts    []string // as in config.Route; empty for any
	Prefix   string
	Match    config.MatchMode
	Methods  []string      // empty for any
	Targets  []*Target     // at least one
	Line     int           // in the config file
	GRPCWeb  bool          // endpoints get calls of gRPC-Web as calls of gRPC
	Policies *policy.Chain // what it demands of requests and changes on them; nil for nothing
	Beyond   bool          // some target is spoken to in another way than HTTP/1.1 in the clear

	weight     int64 // of all targets
	segment    bool
	methods    Methods // those of Methods; none for any
	conditions []condition
	asks       int // config.Route.Conditions
}

// Backend is one compiled backend: its rules, its endpoints of the moment and
// the containers that were left out, with their reasons.
type Backend struct {
	*upstream.Backend
	Config  config.Backend
	Link    *link.Link // how its endpoints are spoken to; nil for HTTP/1.1 in the clear
	LeftOut []discovery.Candidate
	Notes   map[*upstream.Endpoint]string // what a user should know of an endpoint
	Sticky  *Sticky                       // nil for none
}

// Stale is why a source cannot be asked now; "" while all answer.
func (t *Table) Stale() string {
	for _, v := range t.Views {
		if v.Stale != "" {
			return v.Stale
		}
	}
	return ""
}

// Total is the traffic of everything: the routes, those that are gone, and
// what no route took.
func (t *Table) Total() stats.Snapshot { return t.Ledger.Sum(nil) }

// BackendTotal is the traffic of one backend: its routes and those that are
// gone.
func (t *Table) BackendTotal(b *Backend) stats.Snapshot {
	return t.Ledger.Sum(func(k stats.Key) bool { return k.Group == b.Name })
}

// Endpoints are all endpoints of all backends.
func (t *Table) Endpoints() []*upstream.Endpoint {
	var all []*upstream.Endpoint
	for _, b := range t.Backends {
		all = append(all, b.Endpoints...)
	}
	return all
}

// Backend is the backend of that name, or nil; a nil table has none.
func (t *Table) Backend(name string) *Backend {
	if t == nil {
		return nil
	}
	return t.byName[name]
}
