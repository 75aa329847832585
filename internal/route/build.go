package route

import (
	"net/netip"
	"sort"
	"time"

	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/link"
	"rgate/internal/policy"
	"rgate/internal/stats"
	"rgate/internal/upstream"
)

// Selectors says which containers a configuration looks for.
func Selectors(cfg *config.Config) []discovery.Selector {
	var all []discovery.Selector
	for _, b := range cfg.Backends {
		if len(b.MatchLabels) == 0 {
			continue
		}
		s := discovery.Selector{
			Backend: b.Name, Port: b.Port, Address: discovery.AddressMode(b.Address), Network: b.Network,
			WeightLabel: b.WeightLabel, GenerationLabel: b.GenerationLabel,
		}
		for _, l := range b.MatchLabels {
			s.Labels = append(s.Labels, discovery.Label(l))
		}
		all = append(all, s)
	}
	return all
}

// Names says which names a configuration has looked up.
func Names(cfg *config.Config) []discovery.Selector {
	var all []discovery.Selector
	for _, b := range cfg.Backends {
		s := discovery.Selector{Backend: b.Name}
		for _, address := range b.Endpoints {
			if !literal(address) {
				s.Names = append(s.Names, address)
			}
		}
		if len(s.Names) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// literal tells whether the host of an endpoint's address is an IP address.
func literal(address string) bool {
	_, err := netip.ParseAddrPort(address)
	return err == nil
}

// Empty is a table without anything. The tables built after it count in ledger.
func Empty(ledger *stats.Ledger) *Table {
	return &Table{Config: config.Default(), Ledger: ledger, Unmatched: ledger.Open(unmatched)}
}

// unmatched is the key of what no route takes.
var unmatched = stats.Key{Name: "unmatched"}

// Build compiles a valid configuration and the views of its sources. prev, if
// any, lends its unchanged endpoints and its ledger. Neither argument is
// changed.
//
// lent are endpoints that Endpoints made for this configuration.
func Build(cfg *config.Config, views []discovery.View, prev *Table, lent ...*upstream.Endpoint) *Table {
	if prev == nil {
		prev = Empty(stats.NewLedger())
	}
	t := &Table{Config: cfg, Views: views, Unmatched: prev.Unmatched, Ledger: prev.Ledger, byName: map[string]*Backend{}}
	loans := byBackend(lent)
	for _, c := range cfg.Backends {
		b := compileBackend(c, views, prev.Backend(c.Name), loans[c.Name])
		t.byName[c.Name] = b
		t.Backends = append(t.Backends, b)
	}
	used, chains := map[stats.Key]bool{unmatched: true}, chainsOf(cfg, prev)
	t.plain, t.methods, t.parameters = true, namesOf(cfg.Routes), parametersOf(cfg.Routes)
	for i := range cfg.Routes {
		c := &cfg.Routes[i]
		r := compileRoute(c, t.methods)
		r.Policies, r.GRPCWeb = chains[i], c.GRPCWeb
		r.lead(t.byName[c.Backend], 1, t.Ledger) // nil where it has none
		for _, to := range r.Targets {
			used[r.Key(to)] = true
		}
		t.Routes = append(t.Routes, r)
		t.place(r)
	}
	if prev.Config != cfg {
		t.Ledger.Keep(used)
	}
	return t
}

// chainsOf are what the policies of each route come to: those of prev where only
// what is known of endpoints has changed.
func chainsOf(cfg *config.Config, prev *Table) []*policy.Chain {
	chains := make([]*policy.Chain, len(cfg.Routes))
	if prev.Config == cfg && len(prev.Routes) == len(chains) {
		for i, r := range prev.Routes {
			chains[i] = r.Policies
		}
		return chains
	}
	compiler := policy.NewCompiler(cfg.Consumers)
	for i := range cfg.Routes {
		chains[i] = compiler.Chain(cfg.Routes[i].Policies)
	}
	return chains
}

// Endpoints are those that a Build of the same arguments would use. They can be
// probed before they take requests.
func Endpoints(cfg *config.Config, views []discovery.View, prev *Table, lent ...*upstream.Endpoint) []*upstream.Endpoint {
	var all []*upstream.Endpoint
	loans := byBackend(lent)
	for _, c := range cfg.Backends {
		found, _ := gather(c, views, prev.Backend(c.Name), loans[c.Name], &Backend{Link: linkOf(&c, prev.Backend(c.Name), loans[c.Name]), Notes: map[*upstream.Endpoint]string{}})
		all = append(all, found...)
	}
	return all
}

// byBackend sorts those that may be used again.
func byBackend(lent []*upstream.Endpoint) map[string][]*upstream.Endpoint {
	sorted := map[string][]*upstream.Endpoint{}
	for _, e := range lent {
		if !e.Draining() {
			sorted[e.Backend] = append(sorted[e.Backend], e)
		}
	}
	return sorted
}

func compileBackend(c config.Backend, views []discovery.View, prev *Backend, lent []*upstream.Endpoint) *Backend {
	b := &Backend{Config: c, Notes: map[*upstream.Endpoint]string{}}
	var state *upstream.State
	var sticky *Sticky
	if prev != nil {
		state, sticky = prev.State, prev.Sticky
	}
	b.Link = linkOf(&c, prev, lent)
	all, generations := gather(c, views, prev, lent, b)
	b.Backend = upstream.NewBackend(c.Name, rules(c.Traffic), generations.split(all), state)
	b.Sticky = newSticky(c.Traffic.Sticky, b.Endpoints, sticky)
	return b
}

// gather finds the endpoints of a backend, those of prev and lent where they
// are the same. What else is to be said of containers goes to b.
func gather(c config.Backend, views []discovery.View, prev *Backend, lent []*upstream.Endpoint, b *Backend) ([]*upstream.Endpoint, generations) {
	known := map[upstream.Identity]*upstream.Endpoint{}
	if prev != nil {
		for _, e := range prev.Endpoints {
			known[e.Identity] = e
		}
	}
	for _, e := range lent {
		known[e.Identity] = e
	}
	checked := c.Traffic.Health.On()
	var all []*upstream.Endpoint
	take := func(id upstream.Identity, name string, weight int) *upstream.Endpoint {
		e := known[id]
		if old := e; old == nil || old.Name != name || old.Weight != int64(max(weight, 1)) || old.Checked() != checked || !old.Link.Fits(&c) {
			e = upstream.New(id, name, weight, checked)
			e.Link = b.Link
			if old != nil {
				e.Succeed(old)
			}
		}
		all = append(all, e)
		return e
	}
	for _, address := range c.Endpoints {
		if !literal(address) {
			continue // a source looks it up
		}
		take(upstream.Identity{Backend: c.Name, Address: address}, address, 1)
	}
	var generations generations
	for _, v := range views {
		for _, found := range v.Candidates {
			if found.Backend != c.Name {
				continue
			}
			if !found.Usable() {
				b.LeftOut = append(b.LeftOut, found)
				continue
			}
			id := upstream.Identity{Backend: c.Name, ID: found.ID, Address: found.Address, Started: startedNanos(found.Started)}
			e := take(id, found.Name, found.Weight)
			generations.add(found)
			if found.Note != "" {
				b.Notes[e] = found.Note
			}
		}
	}
	return all, generations
}

// linkOf is how the endpoints of a backend are spoken to, as it was before where
// that is the same.
func linkOf(c *config.Backend, prev *Backend, lent []*upstream.Endpoint) *link.Link {
	if prev != nil && prev.Link.Fits(c) {
		return prev.Link
	}
	for _, e := range lent {
		if e.Link.Fits(c) {
			return e.Link
		}
	}
	return link.New(c)
}

func startedNanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func rules(t config.Traffic) upstream.Rules {
	return upstream.Rules{
		Balance: upstream.Balance(t.Balance.Policy), Retries: t.Retries, RetryTimeouts: t.RetryTimeouts, SlowStart: t.SlowStart,
		Eject:     upstream.EjectRules(t.Eject),
		MaxFlight: t.MaxInFlight, QueueSize: t.Queue.Size, QueueTime: t.Queue.Timeout,
	}
}

// generations remembers what generation each container is of, and how young
// the youngest container of each is.
type generations struct {
	of     map[string]string // container id → generation
	newest map[string]time.Time
}

func (g *generations) add(c discovery.Candidate) {
	if g.of == nil {
		g.of, g.newest = map[string]string{}, map[string]time.Time{}
	}
	g.of[c.ID] = c.Generation
	if c.Created.After(g.newest[c.Generation]) {
		g.newest[c.Generation] = c.Created
	}
}

// split groups endpoints by generation, the newest first. Static endpoints
// are of the empty generation, as are containers without the label.
func (g *generations) split(all []*upstream.Endpoint) [][]*upstream.Endpoint {
	groups := map[string][]*upstream.Endpoint{}
	var names []string
	for _, e := range all {
		name := g.of[e.ID]
		if groups[name] == nil {
			names = append(names, name)
		}
		groups[name] = append(groups[name], e)
	}
	sort.SliceStable(names, func(i, j int) bool { return g.newest[names[i]].After(g.newest[names[j]]) })
	var split [][]*upstream.Endpoint
	for _, name := range names {
		split = append(split, groups[name])
	}
	return split
}
