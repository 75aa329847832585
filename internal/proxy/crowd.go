package proxy

import (
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

// Crowd counts the client connections of an engine, in all and by client. Its
// lock is taken twice per connection, never per request. The zero Crowd is
// empty.
type Crowd struct {
	mu      sync.Mutex
	conns   int
	clients map[netip.Addr]int
}

// Enter counts a connection of client where no limit is reached.
func (c *Crowd) Enter(client netip.Addr, lim *config.Limits) Admission {
	c.mu.Lock()
	defer c.mu.Unlock()
	if lim.ConnectionsPerClient > 0 && c.clients[client] >= lim.ConnectionsPerClient {
		return Greedy
	}
	if room := Room(lim.Connections); room > 0 && c.conns >= room {
		return Full
	}
	if c.clients == nil {
		c.clients = map[netip.Addr]int{}
	}
	c.conns++
	c.clients[client]++
	return Admitted
}

// Leave takes back what Enter counted.
func (c *Crowd) Leave(client netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns--
	if c.clients[client]--; c.clients[client] <= 0 {
		delete(c.clients, client)
	}
}

// Size is how many connections are counted.
func (c *Crowd) Size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conns
}
