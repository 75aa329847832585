package standard

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// crowd is the client connections, counted in all and by client.
type crowd struct {
	mu       sync.Mutex
	conns    map[*clientConn]struct{}
	byClient map[netip.Addr]int
}

// enter takes c in; false where a limit (0 is none) is reached.
func (c *crowd) enter(conn *clientConn, limit, each int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if limit > 0 && len(c.conns) >= limit || each > 0 && c.byClient[conn.client] >= each {
		return false
	}
	if c.byClient == nil {
		c.conns, c.byClient = map[*clientConn]struct{}{}, map[netip.Addr]int{}
	}
	c.conns[conn] = struct{}{}
	c.byClient[conn.client]++
	return true
}

func (c *crowd) leave(conn *clientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
	if c.byClient[conn.client]--; c.byClient[conn.client] == 0 {
		delete(c.byClient, conn.client)
	}
}

// listener accepts client connections within the limits. One above them is
// told so and closed: were it left waiting, a few clients that hold on to
// their connections could keep everybody out without anyone's knowing.
type listener struct {
	net.Listener
	engine   *Engine
	patience atomic.Int64 // until when it drains, in Unix nanoseconds; 0 while it does not
	once     sync.Once
	closed   chan struct{}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	var err error // closing it again, as net/http does, is none
	l.once.Do(func() {
		err = l.Listener.Close()
		close(l.closed)
	})
	return err
}

const crowded = "HTTP/1.1 503 Service Unavailable\r\nX-Rgate-Reason: overloaded\r\n" +
	"Retry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if l.patience.Load() > 0 && !l.goOn(err) {
			_ = l.Close()
			return nil, net.ErrClosed
		}
		if err != nil && l.patience.Load() == 0 {
			return nil, err
		}
		if err != nil {
			continue
		}
		if conn := l.admit(c); conn != nil {
			return conn, nil
		}
	}
}

// admit is c as a client's connection; nil where it is one too many.
func (l *listener) admit(c net.Conn) net.Conn {
	var client netip.Addr
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		client = a.AddrPort().Addr().Unmap()
	}
	limits := &l.engine.gate.Table().Config.Limits
	conn := newClientConn(c, l.engine, client)
	if l.engine.crowd.enter(conn, limits.Connections, limits.ConnectionsPerClient) {
		return conn
	}
	l.engine.log.Debug("a connection above the limits was closed", "client", client.String())
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = c.Write([]byte(crowded)) // as much of it as fits the empty socket
	_ = c.Close()
	return nil
}
