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

const (
	// keepMargin is how long before an endpoint would close an idle connection
	// it is used no more: the close, and a request, take their time on the way.
	keepMargin = time.Second

	// quietPatience is how long net/http gets to come back to reading a
	// connection whose answer it has passed on.
	quietPatience = 50 * time.Millisecond
)

// upstreamConn is a connection to an endpoint. It knows what was sent on it,
// and looks, before it sends a request after an earlier one, whether the
// endpoint has closed it meanwhile, or has said something unasked: then nothing
// is sent, and any request can be sent elsewhere.
type upstreamConn struct {
	net.Conn
	wrote, read atomic.Int64
	asked       atomic.Int64  // writes that were begun
	reading     atomic.Bool   // net/http waits for more: it has used all it read
	began       chan struct{} // has a token after reading began
	over        atomic.Bool   // the endpoint has sent all it will
	suspect     atomic.Bool   // kept alive, and not looked at since
	spent       atomic.Bool   // not to be used again
	keeps       atomic.Int64  // how long the endpoint said it keeps it idle; -1 for not said
}

func newUpstreamConn(c net.Conn) *upstreamConn {
	u := &upstreamConn{Conn: c, began: make(chan struct{}, 1)}
	u.keeps.Store(-1)
	return u
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
	if c.spent.Load() || c.suspect.CompareAndSwap(true, false) && !c.quiet() {
		return 0, errStale
	}
	c.asked.Add(1)
	n, err := c.Conn.Write(p)
	c.wrote.Add(int64(n))
	return n, err
}

// quiet tells whether c has been silent since its last answer and is open. What
// came behind that answer may be in the socket or, read along with it, in
// net/http's buffer, which would take it for the answer to what is sent next:
// it looks whether something came unasked only if nothing was asked by then.
func (c *upstreamConn) quiet() bool {
	if !c.reading.Load() && !c.settles() {
		return false
	}
	return !ended(c.Conn)
}

// settles waits for c to be read again.
func (c *upstreamConn) settles() bool {
	late := time.NewTimer(quietPatience)
	defer late.Stop()
	for !c.reading.Load() {
		select {
		case <-c.began:
		case <-late.C:
			return false
		}
	}
	return true
}

// Read implements net.Conn.
func (c *upstreamConn) Read(p []byte) (int, error) {
	c.reading.Store(true)
	select {
	case c.began <- struct{}{}:
	default:
	}
	n, err := c.Conn.Read(p)
	c.reading.Store(false)
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
