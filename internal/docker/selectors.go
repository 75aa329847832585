package docker

import (
	"slices"

	"github.com/moby/moby/client"

	"rgate/internal/discovery"
)

// selectors are those of all backends.
type selectors []discovery.Selector

// filters is what the engine can select by itself: labels that all selectors
// have in common. It saves most of the answer on a busy host.
func (sel selectors) filters() client.Filters {
	f := client.Filters{}
	if len(sel) == 0 {
		return f
	}
	for _, l := range sel[0].Labels {
		if sel.all(func(other discovery.Label) bool { return other == l }) {
			f.Add("label", l.String())
		} else if sel.all(func(other discovery.Label) bool { return other.Key == l.Key }) {
			f.Add("label", l.Key)
		}
	}
	return f
}

func (sel selectors) all(has func(discovery.Label) bool) bool {
	for _, s := range sel {
		if !slices.ContainsFunc(s.Labels, has) {
			return false
		}
	}
	return true
}

// any tells whether one of the selectors selects these labels.
func (sel selectors) any(labels map[string]string) bool {
	return slices.ContainsFunc(sel, func(s discovery.Selector) bool { return selects(s, labels) })
}
