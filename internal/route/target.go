package route

import "rgate/internal/stats"

// Target is one of the backends that a route leads to. Its counters are those
// of the requests that went there by this route.
type Target struct {
	Backend *Backend // nil where the route answers by itself
	Weight  int64    // its share is Weight of the sum over the route's targets; at least 1
	Stats   *stats.Counters
}

// Key is what the traffic of r to t is counted under.
func (r *Route) Key(t *Target) stats.Key {
	return stats.Key{Group: t.Name(), Name: "route " + r.ID}
}

// Name is that of the backend; "" for none.
func (t *Target) Name() string {
	if t.Backend == nil {
		return ""
	}
	return t.Backend.Name
}

// Target is the target for a request, in proportion to the weights. draw is a
// number below its argument, such as rand.Int64N; it is not asked where there
// is no choice.
func (r *Route) Target(draw func(int64) int64) *Target {
	if len(r.Targets) == 1 {
		return r.Targets[0]
	}
	point := draw(r.weight)
	for _, t := range r.Targets {
		if point -= t.Weight; point < 0 {
			return t
		}
	}
	return r.Targets[len(r.Targets)-1]
}

// lead has r lead to b too; nil is where it answers by itself.
func (r *Route) lead(b *Backend, weight int64, ledger *stats.Ledger) {
	t := &Target{Backend: b, Weight: weight}
	t.Stats = ledger.Open(r.Key(t))
	r.Targets = append(r.Targets, t)
	r.weight += weight
	r.Beyond = r.Beyond || b != nil && b.Link != nil
}
