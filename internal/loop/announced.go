//go:build linux

package loop

import (
	"errors"
	"io"
	"net/netip"

	"golang.org/x/sys/unix"

	"rgate/internal/proxyproto"
)

// nobody is whom a connection counts for until its header says whose it is.
var nobody netip.Addr

// holder is whom c counts for.
func (c *conn) holder() netip.Addr {
	if c.phase == phaseProxy {
		return nobody
	}
	return c.addr
}

var errLate = errors.New("no header came in time")

// announced reads the header of the PROXY protocol that c begins with. It is looked
// at in the socket and taken from there whole, so that c needs no memory until then
// and what follows, be it TLS or HTTP, is untouched.
func (l *loop) announced(c *conn) step {
	if !c.readable {
		return stall
	}
	b := l.mem.scratch[:proxyproto.MaxSize]
	n, errno := c.peek(b)
	switch {
	case errno == unix.EAGAIN:
		return stall
	case n == 0:
		l.close(c) // nothing was said: a proxy looks whether somebody listens
		return over
	}
	h, size, err := proxyproto.Parse(b[:n])
	switch {
	case err != nil:
	case size > n && c.hup:
		err = io.ErrUnexpectedEOF
	case size > n:
		c.readable = false // until an event tells of more
		return stall
	}
	if err == nil {
		_, errno = c.read(b[:size]) // which are there
		if errno != 0 {
			err = errno
		}
	}
	if err != nil {
		l.engine.gate.Unannounced(c.addr, c.by.Config().Name, err, l.now)
		l.close(c)
		return over
	}
	if l.introduce(c, h); c.phase == phaseClosed {
		return over
	}
	return moved(!c.queued)
}

// introduce goes on with c, which is the connection of whom h names.
func (l *loop) introduce(c *conn, h proxyproto.Header) {
	if h.Known() {
		c.addr = h.Source.Addr()
	}
	c.phase = phaseHead
	if !l.engine.crowd.Reveal(c.addr, l.cfg) {
		c.counted = false
		l.refused++
		l.turnAway(c)
		return
	}
	if l.meet(c); c.phase == phaseGreet {
		l.stir(c)
	}
}
