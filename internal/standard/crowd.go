package standard

import (
	"net/netip"
	"sync"
	"time"
)

// crowd is the client connections, counted in all and by client.
type crowd struct {
	mu       sync.Mutex
	conns    map[*clientConn]struct{}
	byClient map[netip.Addr]int
}

// admission says whether a client connection is taken in.
type admission uint8

const (
	admitted admission = iota
	full               // there are too many connections
	greedy             // there are too many of this client
)

// admit takes conn in, at the cost of one that asks for nothing, if need be:
// else whoever holds enough idle connections keeps everybody out. A limit of 0
// is none.
func (c *crowd) admit(conn *clientConn, limit, each int) bool {
	for {
		a, quietest := c.enter(conn, limit, each)
		if a != full || quietest == nil {
			return a == admitted
		}
		_ = quietest.Close() // it leaves the crowd
	}
}

// enter takes conn in where no limit is reached. Where the crowd is full, it
// finds one that asks for nothing.
func (c *crowd) enter(conn *clientConn, limit, each int) (admission, *clientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if each > 0 && c.byClient[conn.client] >= each {
		return greedy, nil
	}
	if limit > 0 && len(c.conns) >= limit {
		return full, c.quietest()
	}
	if c.byClient == nil {
		c.conns, c.byClient = map[*clientConn]struct{}{}, map[netip.Addr]int{}
	}
	c.conns[conn] = struct{}{}
	c.byClient[conn.client]++
	return admitted, nil
}

// looks bounds the search for a quiet client.
const looks = 64

// quietest is, of some clients that ask for nothing, the one that would be
// closed first anyway; nil where none was found.
func (c *crowd) quietest() (quietest *clientConn) {
	var first time.Time
	left := looks
	for conn := range c.conns { // begins anywhere
		if left--; left < 0 {
			break
		}
		since := conn.quietSince()
		if since.IsZero() {
			continue
		}
		if due := since.Add(conn.patience()); quietest == nil || due.Before(first) {
			quietest, first = conn, due
		}
	}
	return quietest
}

func (c *crowd) leave(conn *clientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
	if c.byClient[conn.client]--; c.byClient[conn.client] == 0 {
		delete(c.byClient, conn.client)
	}
}
