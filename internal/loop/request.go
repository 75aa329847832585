//go:build linux

package loop

import (
	"golang.org/x/sys/unix"

	"rgate/internal/buffer"
	"rgate/internal/config"
	"rgate/internal/h1"
	"rgate/internal/proxy"
	"rgate/internal/wire"
)

// readHead reads and parses until a request head is complete.
func (l *loop) readHead(c *conn) step {
	w := c.work
	silent := w == nil
	if silent {
		if !c.ready() {
			return stall
		}
		w = l.getWork()
		c.work = w
		l.mem.Need(&w.in)
	}
	if !w.in.Empty() {
		n, err := h1.ParseRequest(w.in.Pending(), wire.RequestLimits(&l.cfg.Limits), &w.req)
		if err != nil && l.foresees(c, err) {
			l.handOver(c)
			return over
		}
		if err != nil {
			l.refuse(c, wire.Refusal(err))
			return again
		}
		if n > 0 {
			return l.accepted(c, n)
		}
	}
	if !c.ready() {
		if w.in.Empty() {
			l.quiet(c)
		}
		return stall
	}
	fresh := w.in.Empty()
	if w.in.Room() == 0 {
		l.mem.Widen(&w.in, 2*cap(w.in.B))
	}
	n, errno := c.read(w.in.Free())
	switch {
	case errno == unix.EAGAIN:
		if silent {
			l.putWork(c) // its time goes on: TLS may say much that is no request
		} else if fresh {
			l.quiet(c)
		}
		return stall
	case n == 0:
		l.depart(c)
		return over
	}
	w.in.Fill(n)
	if fresh {
		c.since = l.wheel.now
	}
	if fresh && (c.served > 0 || l.ends(c)) {
		l.wheel.set(&c.timer, l.now, l.cfg.Timeouts.ClientHeader)
	}
	return again
}

// foresees tells whether what the parser refused with err is the beginning of
// HTTP/2 where the listener takes that unasked.
func (l *loop) foresees(c *conn, err error) bool {
	return c.served == 0 && c.tls == nil && wire.Foresees(c.work.in.Pending(), err) && c.by.Config().Protocols.Has(config.H2C)
}

// accepted goes on with a complete head of n bytes at the start of w.in.
func (l *loop) accepted(c *conn, n int) step {
	w := c.work
	if cap(w.in.B)-n < wire.MinBodyRoom {
		l.mem.Widen(&w.in, n+buffer.Size)
		w.req.Reset()
		if _, err := h1.ParseRequest(w.in.B, wire.RequestLimits(&l.cfg.Limits), &w.req); err != nil {
			l.refuse(c, wire.Refusal(err)) // cannot be: it was good a moment ago
			return again
		}
	}
	if w.req.Upgrade && wire.WebSocket(&w.req) {
		l.handOver(c)
		return over
	}
	w.keep, w.in.R = n, n
	c.served++
	l.fill(c)
	v := l.engine.gate.Begin(&w.x)
	if v == proxy.HandOver {
		l.handOver(c)
		return over
	}
	w.begun = true
	l.follow(c, v)
	l.gone(c) // its end may have come with its request
	return again
}

// fill takes the request into what proxy decides by.
func (l *loop) fill(c *conn) {
	w := c.work
	x, r := &w.x, &w.req
	x.Method, x.Target, x.Host = r.Method, wire.Target(r), r.Host
	x.Peer, x.Start, x.Header, x.Plain = c.addr, l.now, &w.head, true
	if c.tls != nil {
		x.Secured, x.HSTS = c.tls.known, c.tls.known.HSTS()
	} else if r := c.by.Redirect(); r != nil {
		x.Redirect = r
	}
	lim := l.cfg.Limits.RequestsPerConnection
	w.close = r.Close || lim > 0 && int(c.served) >= lim
	r.Body(&w.reqBody, h1.Limits{})
	switch {
	case w.reqBody.Kind == h1.BodyNone:
		x.Body = proxy.NoBody
		w.reqDone = true
	case wire.Keeps(r, w.keep):
		x.Body = proxy.Replayable // it stays in w.in until the end
	default:
		x.Body = proxy.Streamed
	}
}
