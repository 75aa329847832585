package standard

import (
	"sync"
	"time"

	"rgate/internal/config"
	"rgate/internal/proxy"
)

// crowd is the client connections.
type crowd struct {
	count proxy.Crowd

	mu    sync.Mutex
	conns map[*clientConn]struct{}
}

// admit takes conn in, at the cost of one that asks for nothing, if need be:
// else whoever holds enough idle connections keeps everybody out.
func (c *crowd) admit(conn *clientConn, cfg *config.Config) bool {
	for {
		a, quietest := c.enter(conn, cfg)
		if a != proxy.Full || quietest == nil {
			return a == proxy.Admitted
		}
		_ = quietest.Close() // it leaves the crowd
	}
}

// enter takes conn in where no limit is reached. Where the crowd is full, it
// finds one that asks for nothing.
func (c *crowd) enter(conn *clientConn, cfg *config.Config) (a proxy.Admission, quietest *clientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch a = c.count.Enter(conn.client, cfg); a {
	case proxy.Full:
		quietest = c.quietest()
	case proxy.Admitted:
		if c.conns == nil {
			c.conns = map[*clientConn]struct{}{}
		}
		c.conns[conn] = struct{}{}
	}
	return a, quietest
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
	c.count.Leave(conn.client)
}
