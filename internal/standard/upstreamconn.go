package standard

import (
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"rgate/internal/h1"
)

var errStale = errors.New("cannot send: the endpoint has closed the kept-alive connection")

// keepMargin is how long before an endpoint would close an idle connection it
// is used no more: the close, and a request, take their time on the way.
const keepMargin = time.Second

// upstreamConn is a connection to an endpoint. It knows what was sent on it,
// and looks, before it sends a request after an earlier one, whether the
// endpoint has closed it meanwhile: then nothing is sent, and any request can
// be sent elsewhere.
type upstreamConn struct {
	net.Conn
	wrote, read atomic.Int64
	over        atomic.Bool  // the endpoint has sent all it will
	suspect     atomic.Bool  // kept alive, and not looked at since
	spent       atomic.Bool  // not to be used again
	keeps       atomic.Int64 // how long the endpoint said it keeps it idle; -1 for not said
}

// reuse prepares c, idle for so long, for another request. It is spent where
// the endpoint may be closing it by now, and where it cannot be looked at but
// the request must be sure.
func (c *upstreamConn) reuse(idle time.Duration, sure bool) {
	c.suspect.Store(true)
	keeps := time.Duration(c.keeps.Load())
	closing := keeps >= 0 && idle >= keeps-min(keeps/2, keepMargin)
	c.spent.Store(closing || sure && !canLook)
}

// learn takes in what a response says of the connection.
func (c *upstreamConn) learn(h http.Header) {
	keeps := time.Duration(-1)
	for _, value := range h["Keep-Alive"] {
		if t, ok := h1.KeepAliveTimeout([]byte(value)); ok {
			keeps = t
		}
	}
	c.keeps.Store(int64(keeps))
}

// Write implements net.Conn.
func (c *upstreamConn) Write(p []byte) (int, error) {
	if c.spent.Load() || c.suspect.CompareAndSwap(true, false) && ended(c.Conn) {
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
	if err != nil {
		c.over.Store(true)
	}
	return n, err
}

// CloseWrite ends one direction of an upgraded connection.
func (c *upstreamConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
