package standard

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/config"
	"rgate/internal/h1"
	"rgate/internal/h2"
	"rgate/internal/listen"
	"rgate/internal/wire"
)

// client is a client's connection, which one goroutine serves. A quiet one holds
// no buffer but first.
type client struct {
	net.Conn                 // the socket, or TLS on it
	socket   net.Conn        // itself
	secured  *listen.Secured // nil for plain HTTP
	engine   *Engine
	by       *listen.Listener
	addr     netip.Addr
	sight    sight
	x        *exchange // the request under way, or what has come of the next; nil while quiet
	served   int
	counted  bool // among those that the limits are about
	ended    bool // it has finished sending
	ahead    bool // its first request was read already, by who handed it over

	stream  *h2.Stream              // that it is; nil for a connection of its own
	session atomic.Pointer[session] // that its connection is; nil for HTTP/1.1

	behind netip.Addr // the proxy that has to say first whose the connection is; not valid for none

	debt debt

	mu      sync.Mutex
	quiet   bool // nothing has come, and nothing is under way
	parting bool // it is listened to for a moment after its last answer

	first [firstSize]byte
}

func newClient(e *Engine, conn net.Conn, by *listen.Listener) *client {
	h, handed := conn.(interface{ By() *listen.Listener })
	if handed {
		by = h.By()
	}
	by.Hold()
	c := &client{Conn: conn, socket: conn, engine: e, by: by, sight: sightOf(conn)}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		c.addr = a.AddrPort().Addr().Unmap().WithZone("") // no network holds an address with a zone
	}
	if !handed && by.Config().ProxyProtocol.Of(c.addr) {
		c.behind, c.addr = c.addr, netip.Addr{}
	}
	if h, ok := conn.(interface{ Ahead() bool }); ok && h.Ahead() {
		c.ahead = true // it owes nothing
		return c
	}
	now := time.Now()
	c.debt.owe(request, now, now.Add(c.patience()))
	return c
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

func (c *client) config() *config.Config { return c.engine.gate.Table().Config }

// serve answers one request after the other.
func (c *client) serve() {
	defer c.leave()
	if !c.announced() || !c.greet() {
		return
	}
	switch http2, ok := c.negotiated(); {
	case http2:
		c.multiplex(nil)
		return
	case !ok:
		c.x = c.engine.take(c)
		c.x.refuse(wire.AnswerVersion)
		return
	}
	for c.await() && c.head() && c.respond() {
	}
	if c.secured != nil {
		_ = c.CloseWrite() // if it was not said already
	}
}

// turnAway answers a connection above the limits. With TLS it is closed: a word in
// the clear would not be understood, and a handshake costs what a flood wants.
func (c *client) turnAway() {
	defer c.leave()
	if c.by.TLS() != nil {
		return
	}
	c.x = c.engine.take(c)
	c.x.refuse(wire.AnswerCrowd)
}

// Close closes the socket at once. Whoever closes the connection of another must
// not wait for what TLS would still say.
func (c *client) Close() error { return c.socket.Close() }

func (c *client) leave() {
	_ = c.Close()
	c.release()
	c.engine.crowd.leave(c)
	c.by.Release()
	c.engine.running.end()
}

func (c *client) release() {
	if c.x != nil {
		c.engine.give(c.x)
		c.x = nil
	}
}

// await waits for the first byte of a request.
func (c *client) await() bool {
	if c.x != nil && !c.x.in.Empty() {
		return c.owe() // it is here already
	}
	c.release()
	if !c.ahead {
		c.rest()
	}
	n, err := c.Read(c.first[:])
	for n == 0 {
		// One that speaks up at the last moment is heard.
		if !isTimeout(err) || !c.sight.waiting() || !c.owe() {
			return false
		}
		n, err = c.Read(c.first[:])
	}
	if !c.stir() {
		return false
	}
	c.x = c.engine.take(c)
	c.x.in.B = append(c.x.in.B, c.first[:n]...)
	return true
}

// rest says that c is quiet from now on.
func (c *client) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet = true
	now := time.Now()
	until := now.Add(c.patience())
	c.debt.owe(request, now, until)
	_ = c.SetReadDeadline(until) // fails on a closed connection: so does the read
}

// patience is how long c may be without a request.
func (c *client) patience() time.Duration {
	switch t := &c.config().Timeouts; {
	case c.engine.stopping():
		return time.Duration(c.engine.linger.Load())
	case c.by.Draining():
		return c.by.Linger()
	case c.served > 0:
		return t.Idle
	default:
		return t.ClientHeader
	}
}

// ends tells whether the next answer is the last.
func (c *client) ends() bool { return c.engine.stopping() || c.by.Draining() }

// hurry has a quiet c, which ends, do so sooner. It may not have TLS yet, so it is
// the socket that is told.
func (c *client) hurry() {
	if s := c.session.Load(); s != nil {
		s.conn.Leave()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch now := time.Now(); {
	case c.quiet:
		_ = c.socket.SetReadDeadline(now.Add(c.patience())) // as in rest
	case c.parting:
		_ = c.socket.SetReadDeadline(now.Add(lingerAtStop))
	}
}

// stir says that c is quiet no more. The time for its head counts from now; of a
// new connection it counts from the beginning.
func (c *client) stir() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet = false
	if c.ahead {
		c.ahead = false // and owes nothing until it is answered
		return c.SetReadDeadline(time.Now().Add(c.config().Timeouts.ClientHeader)) == nil
	}
	if c.served > 0 || c.ends() {
		return c.owe()
	}
	now := time.Now()
	c.debt.owe(head, now, now.Add(c.patience()))
	return true
}

// owe gives c the time for a head from now on.
func (c *client) owe() bool {
	now := time.Now()
	until := now.Add(c.config().Timeouts.ClientHeader)
	c.debt.owe(head, now, until)
	return c.SetReadDeadline(until) == nil
}

// head reads and parses until a request's head is complete.
func (c *client) head() bool {
	x := c.x
	for {
		n, err := h1.ParseRequest(x.in.Pending(), wire.RequestLimits(&c.config().Limits), &x.req)
		switch {
		case err != nil && c.foresees(x.in.Pending(), err):
			c.multiplex(x.in.Pending())
			return false
		case err != nil:
			x.refuse(wire.Refusal(err))
			return false
		case n > 0:
			x.accept(n)
			return true
		}
		if x.in.Room() == 0 {
			spare.Widen(&x.in, 2*cap(x.in.B))
		}
		n, err = c.Read(x.in.Free())
		x.in.Fill(n)
		switch {
		case n > 0:
		case isTimeout(err):
			x.refuse(wire.AnswerSlow)
			return false
		default:
			return false
		}
	}
}

// write writes b, whose taking may last as long as the client takes some of it
// now and then.
func (c *client) write(b []byte) error {
	for {
		now := time.Now()
		until := now.Add(c.config().Timeouts.Idle)
		c.debt.owe(reading, now, until)
		if err := c.SetWriteDeadline(until); err != nil {
			return err
		}
		n, err := c.Write(b)
		if b = b[n:]; n == 0 || !isTimeout(err) {
			return err
		}
	}
}

// reset makes the connection end with a reset: a client that takes its end for
// the end of the answer would else take half for whole, and what it does not
// read would be kept for it.
func (c *client) reset() {
	if tcp, ok := c.socket.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // fails on a closed connection
	}
	_ = c.Close()
}

// How long a client that still sends is listened to after its last answer:
// closing on unread bytes would reset the connection and could destroy the answer
// before it is read.
const (
	lingerPause  = 5 * time.Second // without progress
	lingerTime   = 30 * time.Second
	mostLinger   = 1024 // clients at once
	mostRefused  = 128  // above which one above the limits does not
	lingerAtStop = time.Second
)

// CloseWrite ends the sending side.
func (c *client) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// hangUp ends c after the last answer.
func (c *client) hangUp() {
	n := c.engine.lingers.Add(1)
	defer c.engine.lingers.Add(-1)
	if c.ended || n > mostLinger || !c.counted && n > mostRefused {
		return
	}
	c.release()
	if c.CloseWrite() != nil {
		return
	}
	for end := time.Now().Add(lingerTime); c.part(end); {
		if _, err := c.Read(c.first[:]); err != nil {
			return
		}
	}
}

// part has the next read end soon, and at the end in any case, where there is to
// be none.
func (c *client) part(end time.Time) bool {
	now, pause := time.Now(), lingerPause
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parting = true
	if c.ends() {
		pause = lingerAtStop
	}
	next := now.Add(pause)
	if next.After(end) {
		next = end
	}
	c.debt.owe(leaving, now, next)
	return now.Before(end) && c.SetReadDeadline(next) == nil
}
