package standard

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// crowd counts client connections, in all and by client.
type crowd struct {
	mu       sync.Mutex
	all      int
	byClient map[netip.Addr]int
}

// enter counts a connection of client; false where a limit (0 is none) is
// reached.
func (c *crowd) enter(client netip.Addr, limit, each int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if limit > 0 && c.all >= limit || each > 0 && c.byClient[client] >= each {
		return false
	}
	if c.byClient == nil {
		c.byClient = map[netip.Addr]int{}
	}
	c.all++
	c.byClient[client]++
	return true
}

func (c *crowd) leave(client netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.byClient[client]--; c.byClient[client] == 0 {
		delete(c.byClient, client)
	}
}

// listener accepts client connections within the limits. One above them is
// told so and closed: were it left waiting, a few clients that hold on to
// their connections could keep everybody out without anyone's knowing.
type listener struct {
	net.Listener
	engine *Engine
}

const crowded = "HTTP/1.1 503 Service Unavailable\r\nX-Rgate-Reason: overloaded\r\n" +
	"Retry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		var client netip.Addr
		if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			client = a.AddrPort().Addr().Unmap()
		}
		limits := &l.engine.gate.Table().Config.Limits
		if l.engine.crowd.enter(client, limits.Connections, limits.ConnectionsPerClient) {
			return newClientConn(c, l.engine, client), nil
		}
		l.engine.log.Debug("a connection above the limits was closed", "client", client.String())
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = c.Write([]byte(crowded)) // as much of it as fits the empty socket
		_ = c.Close()
	}
}
