package names

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"rgate/internal/discovery"
)

// SourceName is the Source of the views.
const SourceName = "names"

// view is what is known now.
func (w *watch) view() discovery.View {
	v := discovery.View{Source: SourceName, Selectors: w.selectors, Stale: w.stale()}
	for _, s := range w.selectors {
		for _, name := range s.Names {
			v.Candidates = append(v.Candidates, w.candidates(s.Backend, name)...)
		}
	}
	slices.SortStableFunc(v.Candidates, func(a, b discovery.Candidate) int {
		return cmp.Or(cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return v
}

// candidates are the addresses of one name. The only address of a name goes by
// the name alone, so that what remembers names (a sticky cookie, consistent
// hashing) stays with it when it moves.
func (w *watch) candidates(backend, name string) []discovery.Candidate {
	all, both := w.addresses(name)
	if len(all) == 0 {
		return []discovery.Candidate{{Backend: backend, ID: name, Name: name, Reason: w.reason(name), Weight: 1}}
	}
	in, out := all, []netip.AddrPort(nil)
	if both {
		in, out = w.accepting(all)
	}
	var list []discovery.Candidate
	for _, at := range in {
		c := discovery.Candidate{Backend: backend, ID: name, Name: name, Address: at.String(), Weight: 1}
		if len(in) > 1 {
			c.Name = fmt.Sprintf("%s (%s)", name, at.Addr())
		}
		list = append(list, c)
	}
	for _, at := range out {
		list = append(list, discovery.Candidate{
			Backend: backend, ID: name, Name: fmt.Sprintf("%s (%s)", name, at.Addr()), Address: at.String(), Weight: 1,
			Reason: "it accepts no connections, as another address of the name does",
		})
	}
	return list
}

// reason is why a name has no address.
func (w *watch) reason(name string) string {
	host, _ := split(name)
	for _, network := range families {
		switch m := w.known[question{host, network}]; {
		case m == nil || !m.asked:
			return "the name is being looked up"
		case m.fault != "":
			return "the name cannot be looked up: " + m.fault
		}
	}
	return "the name has no address"
}

// stale is why what is known may be old: a name is not answered for whose last
// addresses are kept, or that has none. A family that never had any matters to
// nobody while the other is answered for.
func (w *watch) stale() string {
	hosts := map[string]string{}
	for q, m := range w.known {
		if m.fault == "" {
			continue
		}
		all, _ := w.addresses(q.host + ":0")
		if len(m.addrs) > 0 || len(all) == 0 {
			hosts[q.host] = m.fault
		}
	}
	if len(hosts) == 0 {
		return ""
	}
	var names []string
	for name := range hosts {
		names = append(names, name)
	}
	slices.Sort(names)
	text := fmt.Sprintf("cannot look up %s: %s", names[0], hosts[names[0]])
	if n := len(names) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}
