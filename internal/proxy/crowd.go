package proxy

import (
	"math/bits"
	"net/netip"
	"sync"

	"rgate/internal/config"
)

// Admission says whether a client connection is taken in.
type Admission uint8

// The admissions.
const (
	Admitted Admission = iota
	Full               // there are too many connections
	Greedy             // there are too many of this client
)

// Crowd counts the client connections of an engine, in all and by peer. Its
// lock is taken a few times per connection, never per request. The zero Crowd
// is empty.
type Crowd struct {
	mu      sync.Mutex
	conns   int
	clients map[netip.Addr]int // by holder
}

// One peer may hold a part of the room that is there, whatever it is allowed
// by number, and has a weight long before. The least is for small rooms.
const (
	greedyPart = 4
	heavyPart  = 32
	leastPart  = 16
)

// Enter counts a connection of peer where no limit is reached. The zero address is
// for one that it is not known yet whose it is: see Reveal.
func (c *Crowd) Enter(peer netip.Addr, cfg *config.Config) Admission {
	room, most := Room(cfg.Limits.Connections), most(peer, cfg)
	peer = holder(peer)
	c.mu.Lock()
	defer c.mu.Unlock()
	if most > 0 && c.clients[peer] >= most {
		return Greedy
	}
	if room > 0 && c.conns >= room {
		return Full
	}
	if c.clients == nil {
		c.clients = map[netip.Addr]int{}
	}
	c.conns++
	c.clients[peer]++
	return Admitted
}

// Reveal says whose a connection is that Enter counted as nobody's. Where there are
// too many of that one it is false, and the connection has left.
func (c *Crowd) Reveal(peer netip.Addr, cfg *config.Config) bool {
	most := most(peer, cfg)
	peer = holder(peer)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(netip.Addr{})
	if most > 0 && c.clients[peer] >= most {
		c.conns--
		return false
	}
	c.clients[peer]++
	return true
}

// Weight is 0 for a peer like others, and the more it holds of the room the
// higher, in steps of twice as much: the heaviest make room first.
func (c *Crowd) Weight(peer netip.Addr, cfg *config.Config) int {
	if !peer.IsValid() || within(peer, cfg.TrustedProxies) {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.clients[holder(peer)]
	if n <= max(Room(cfg.Limits.Connections)/heavyPart, leastPart) {
		return 0
	}
	return bits.Len(uint(n))
}

// Leave takes back what Enter counted.
func (c *Crowd) Leave(peer netip.Addr) {
	peer = holder(peer)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns--
	c.remove(peer)
}

// remove takes a connection off its holder.
func (c *Crowd) remove(holder netip.Addr) {
	if c.clients[holder]--; c.clients[holder] <= 0 {
		delete(c.clients, holder)
	}
}

// Size is how many connections are counted.
func (c *Crowd) Size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conns
}

// most is how many connections peer may have; 0 is any number.
func most(peer netip.Addr, cfg *config.Config) int {
	if !peer.IsValid() || cfg.Limits.ConnectionsPerClient > 0 && within(peer, cfg.TrustedProxies) {
		return 0 // it speaks for many, or for nobody yet
	}
	return share(Room(cfg.Limits.Connections), cfg.Limits.ConnectionsPerClient)
}

// share is how much of room one peer may hold where limit (0 is none) is wanted.
func share(room, limit int) int {
	if room <= 0 || limit <= 0 {
		return limit
	}
	return min(limit, max(room/greedyPart, leastPart))
}

// holder is whom a connection from a counts for: with IPv6 a whole network, as
// whoever has one address of it has all.
func holder(a netip.Addr) netip.Addr {
	if a = a.Unmap(); !a.Is6() {
		return a
	}
	if p, err := a.WithZone("").Prefix(64); err == nil {
		return p.Addr()
	}
	return a
}
