package standard

import (
	"errors"
	"net"
	"sync/atomic"
)

var errStale = errors.New("cannot send: the endpoint has closed the kept-alive connection")

// upstreamConn is a connection to an endpoint. It knows what was sent on it,
// and looks, before it sends a request after an earlier one, whether the
// endpoint has closed it meanwhile: then nothing is sent, and any request can
// be sent elsewhere.
type upstreamConn struct {
	net.Conn
	wrote, read atomic.Int64
	suspect     atomic.Bool // kept alive, and not looked at since
}

// Write implements net.Conn.
func (c *upstreamConn) Write(p []byte) (int, error) {
	if c.suspect.CompareAndSwap(true, false) && ended(c.Conn) {
		return 0, errStale
	}
	n, err := c.Conn.Write(p)
	c.wrote.Add(int64(n))
	return n, err
}

// Read implements net.Conn.
func (c *upstreamConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// CloseWrite ends one direction of an upgraded connection.
func (c *upstreamConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
