package upstream

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// shareUnit is the share of an endpoint of weight 1 that is fully warm. It
// leaves slow start its steps without floating point.
const shareUnit = 256

// Pick chooses the endpoint for an attempt at now and acquires it; the caller
// releases it. Endpoints in tried are passed over. It returns nil where none
// is usable. key matters to ConsistentHash alone.
//
// The newest generation with a usable endpoint takes everything, so that two
// generations never answer one page.
func (b *Backend) Pick(key uint64, tried []*Endpoint, now time.Time) *Endpoint {
	nanos := Clock(now)
	for _, eps := range b.Generations {
		// A pick can lose a race with a drain; there is no more than one drain
		// to lose against per endpoint.
		for range len(eps) + 1 {
			e := b.pick(eps, key, tried, nanos)
			if e == nil {
				break
			}
			if e.take(nanos) {
				return e
			}
		}
	}
	return b.onTrial(tried, nanos)
}

// PickPreferred acquires the one endpoint that a sticky client belongs to,
// unless a newer generation than its own takes the requests now.
func (b *Backend) PickPreferred(e *Endpoint, now time.Time) bool {
	nanos := Clock(now)
	for _, eps := range b.Generations {
		if slices.Contains(eps, e) {
			return e.usable(nanos) && e.take(nanos)
		}
		if b.total(eps, nil, nanos) > 0 {
			return false
		}
	}
	return false
}

func (b *Backend) pick(eps []*Endpoint, key uint64, tried []*Endpoint, now int64) *Endpoint {
	switch b.Balance {
	case ConsistentHash:
		return b.pickHash(eps, key, tried, now)
	case LeastRequest:
		return b.pickLess(eps, tried, now)
	}
	total := b.total(eps, tried, now)
	if total == 0 {
		return nil
	}
	if b.Balance == RoundRobin {
		// Steps of one unit keep weights exact over a full turn.
		return b.at(eps, nil, tried, now, int64(b.turn.Add(1)*shareUnit%uint64(total)))
	}
	return b.at(eps, nil, tried, now, rand.Int64N(total))
}

// share is e's part of the traffic: 0 where it may take nothing.
func (b *Backend) share(e *Endpoint, tried []*Endpoint, now int64) int64 {
	if !e.usable(now) || slices.Contains(tried, e) {
		return 0
	}
	full := e.Weight * shareUnit
	age := now - e.since.Load()
	if age >= int64(b.SlowStart) || age < 0 {
		return full
	}
	return max(full/16, int64(float64(full)*float64(age)/float64(b.SlowStart)))
}

func (b *Backend) total(eps []*Endpoint, tried []*Endpoint, now int64) int64 {
	var total int64
	for _, e := range eps {
		total += b.share(e, tried, now)
	}
	return total
}

// at walks the shares of all but one endpoint (nil for none) to point. States
// may change between total and at; the last usable endpoint is then as good as
// any.
func (b *Backend) at(eps []*Endpoint, but *Endpoint, tried []*Endpoint, now, point int64) *Endpoint {
	var last *Endpoint
	for _, e := range eps {
		if e == but {
			continue
		}
		share := b.share(e, tried, now)
		if share == 0 {
			continue
		}
		if point < share {
			return e
		}
		point -= share
		last = e
	}
	return last
}

// pickLess draws two and takes the one with fewer attempts in flight for its
// weight (Mitzenmacher, The Power of Two Choices, 2001).
func (b *Backend) pickLess(eps []*Endpoint, tried []*Endpoint, now int64) *Endpoint {
	total := b.total(eps, tried, now)
	if total == 0 {
		return nil
	}
	one := b.at(eps, nil, tried, now, rand.Int64N(total))
	if one == nil {
		return nil // the last usable one went between the two looks
	}
	rest := total - b.share(one, tried, now)
	if rest <= 0 {
		return one
	}
	two := b.at(eps, one, tried, now, rand.Int64N(rest))
	if two == nil || one.InFlight()*two.Weight <= two.InFlight()*one.Weight {
		return one
	}
	return two
}

// pickHash is weighted rendezvous hashing with bounded load: each endpoint
// scores the key, the best that carries no more than 5/4 of the mean for its
// weight takes it. Losing an endpoint moves only its own keys, and a weight of
// two takes twice the keys of one.
func (b *Backend) pickHash(eps []*Endpoint, key uint64, tried []*Endpoint, now int64) *Endpoint {
	var flights, shares int64
	for _, e := range eps {
		if s := b.share(e, tried, now); s > 0 {
			shares += s
			flights += e.InFlight()
		}
	}
	var best, spare *Endpoint
	var bestScore, spareScore float64
	for _, e := range eps {
		share := b.share(e, tried, now)
		if share == 0 {
			continue
		}
		score := e.score(key)
		if spare == nil || score > spareScore {
			spare, spareScore = e, score
		}
		bounded := 4*e.InFlight()*shares <= 5*(flights+1)*share
		if bounded && (best == nil || score > bestScore) {
			best, bestScore = e, score
		}
	}
	if best == nil {
		return spare
	}
	return best
}

// score is -weight/ln(u), u being the hash of key and e as a number between 0
// and 1: the winner of such a race wins in proportion to its weight
// (Schindelhauer and Schomaker, Weighted Distributed Hash Tables, 2005).
func (e *Endpoint) score(key uint64) float64 {
	u := (float64(mix(key^e.hash)>>11) + 0.5) / (1 << 53)
	return -float64(e.Weight) / math.Log(u)
}
