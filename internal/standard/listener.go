package standard

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

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
	conn := newClientConn(c, l.engine, client)
	if l.engine.crowd.admit(conn, l.engine.gate.Table().Config) {
		return conn
	}
	l.engine.log.Debug("a connection above the limits was closed", "client", client.String())
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = c.Write([]byte(crowded)) // as much of it as fits the empty socket
	_ = c.Close()
	return nil
}
