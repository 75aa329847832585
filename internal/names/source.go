// Package names looks up the endpoints that a configuration gives by name, and
// makes each address of a name, IPv4 and IPv6, an endpoint of its own. Nobody
// else waits for a resolver.
package names

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"

	"rgate/internal/discovery"
)

// resolver is what a *net.Resolver does.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Source watches the addresses of names.
type Source struct {
	resolver resolver
	log      *slog.Logger
	timing   timing
	before   []Address
	poked    chan struct{} // gets a token when the selectors changed

	mu        sync.Mutex
	selectors []discovery.Selector
}

var _ discovery.Source = (*Source)(nil)

// Address is an address that a name had.
type Address struct {
	Host string     `json:"host"`
	IP   netip.Addr `json:"ip"`
}

// Addresses are those in the views of a Source among views.
func Addresses(views []discovery.View) []Address {
	var all []Address
	for _, v := range views {
		for _, c := range v.Candidates {
			if at, err := netip.ParseAddrPort(c.Address); v.Source == SourceName && err == nil {
				host, _ := split(c.ID)
				all = append(all, Address{host, at.Addr()})
			}
		}
	}
	return all
}

// New makes a source that asks the system's resolver. The addresses that names
// had before are theirs until it has answered.
func New(log *slog.Logger, before []Address) *Source {
	return &Source{resolver: net.DefaultResolver, log: log, timing: usualTiming(), before: before, poked: make(chan struct{}, 1)}
}

// Select says which names to look up: the Names of sel. A running Watch asks
// for new ones at once.
func (s *Source) Select(sel []discovery.Selector) {
	s.mu.Lock()
	s.selectors = slices.Clone(sel)
	s.mu.Unlock()
	select {
	case s.poked <- struct{}{}:
	default:
	}
}

func (s *Source) selected() []discovery.Selector {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.selectors
}

// Watch emits a view once all names were looked up, or some took too long, and
// again on each change and after each Select, until ctx ends.
func (s *Source) Watch(ctx context.Context, emit func(discovery.View)) error {
	w := &watch{
		source: s, emit: emit, known: map[question]*memory{}, contacts: map[netip.AddrPort]*contact{},
		answers: make(chan answer), touched: make(chan touch), room: make(chan struct{}, s.timing.atOnce),
	}
	return w.run(ctx)
}

// Survey is the first view.
func (s *Source) Survey(ctx context.Context) (view discovery.View) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	first := true
	_ = s.Watch(ctx, func(v discovery.View) {
		if first {
			view, first = v, false
		}
		enough()
	})
	return view
}
