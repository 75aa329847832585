package standard

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/proxy"
)

// clientConn is a client's connection. It knows when a handler answers; what
// net/http writes while none does is its refusal of a request that it could
// not read, and goes out, and is counted, as an answer of rgate's own.
type clientConn struct {
	net.Conn
	engine    *Engine
	client    netip.Addr
	once      sync.Once
	active    atomic.Bool // net/http has a request that it is not done with
	answering atomic.Bool // and its handler has it
	requests  atomic.Int64
	last      atomic.Bool  // no request may follow the one under way
	quiet     atomic.Int64 // since when nothing came and nothing is under way, in Unix nanoseconds; 0 for not
	malformed atomic.Bool  // the body under way is
	guard     guard
}

func newClientConn(c net.Conn, e *Engine, client netip.Addr) *clientConn {
	conn := &clientConn{Conn: c, engine: e, client: client}
	conn.guard.conn = conn
	conn.quiet.Store(time.Now().UnixNano())
	return conn
}

// Read implements net.Conn. net/http reads from one goroutine at a time.
func (c *clientConn) Read(p []byte) (int, error) {
	n, err := c.guard.Read(p)
	if n > 0 {
		c.quiet.Store(0)
	}
	return n, err
}

type clientConnKey struct{}

func withClientConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, clientConnKey{}, c)
}

func clientConnOf(ctx context.Context) *clientConn {
	return ctx.Value(clientConnKey{}).(*clientConn)
}

// trackState notes when net/http has read a request, and when it waits for the
// next. In between it reads on already, to see whether the client leaves.
func trackState(c net.Conn, s http.ConnState) {
	conn := c.(*clientConn)
	switch s {
	case http.StateActive:
		conn.active.Store(true)
	case http.StateIdle:
		conn.active.Store(false)
		conn.answering.Store(false)
		conn.quiet.Store(time.Now().UnixNano())
	}
}

// quietSince is since when the client owes a request; zero while it does not.
func (c *clientConn) quietSince() time.Time {
	if at := c.quiet.Load(); at != 0 && !c.answering.Load() {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// patience is how long the client may be quiet.
func (c *clientConn) patience() time.Duration {
	if c.requests.Load() > 0 {
		return c.engine.server.IdleTimeout
	}
	return c.engine.server.ReadHeaderTimeout
}

// ending tells whether the answer under way is the connection's last.
func (c *clientConn) ending() bool { return c.last.Load() || c.engine.stopping.Load() }

// Close implements net.Conn.
func (c *clientConn) Close() error {
	c.once.Do(func() { c.engine.crowd.leave(c) })
	return c.Conn.Close()
}

// reset makes the connection end with a reset: a client that takes the end of
// the connection for the end of the answer would else take half for whole.
func (c *clientConn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails on a closed connection
	}
}

// CloseWrite is what net/http ends a connection with, so that its last answer
// arrives.
func (c *clientConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Write implements net.Conn.
func (c *clientConn) Write(p []byte) (int, error) {
	if c.answering.Load() {
		return c.Conn.Write(p)
	}
	if _, err := c.Conn.Write(c.refuse(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// refuse is rgate's own form of net/http's refusal p.
func (c *clientConn) refuse(p []byte) []byte {
	if a := c.guard.refusal; a != nil {
		return c.render(a)
	}
	var status int
	if _, err := fmt.Sscanf(string(p[:min(len(p), len("HTTP/1.1 400"))]), "HTTP/1.1 %d", &status); err != nil {
		return p
	}
	switch status {
	case http.StatusBadRequest:
		return c.render(proxy.BadRequest("the request is malformed"))
	case http.StatusRequestHeaderFieldsTooLarge:
		return c.render(tooLarge("the request's header is too large"))
	}
	a := proxy.BadRequest(http.StatusText(status))
	a.Status, a.Reason = status, proxy.ReasonUnsupport
	return c.render(a)
}

// render records a refusal and returns its bytes.
func (c *clientConn) render(a *proxy.Answer) []byte {
	x := &exchange{engine: c.engine}
	x.Start, x.Peer = time.Now(), c.client
	c.engine.gate.Refuse(&x.Exchange, a)
	h := http.Header{}
	x.describe(h)
	h.Set("Connection", "close")
	x.bytesOut.Store(int64(len(a.Body)))
	defer x.end()
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\n", a.Status, http.StatusText(a.Status))
	_ = h.Write(&out) // a buffer takes everything
	out.WriteString("\r\n")
	out.Write(a.Body)
	return out.Bytes()
}
