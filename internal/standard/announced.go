package standard

import (
	"errors"
	"io"
	"slices"
	"time"

	"rgate/internal/proxyproto"
	"rgate/internal/wire"
)

// announced reads the header of the PROXY protocol, where c has to begin with one:
// no byte more, since what follows may be TLS. False is for a connection that ends.
func (c *client) announced() bool {
	if !c.behind.IsValid() {
		return true
	}
	c.rest()
	h, err := c.introduced()
	switch {
	case err == io.EOF:
		return false // nothing was said: a proxy looks whether somebody listens
	case err != nil:
		c.engine.gate.Unannounced(c.behind, c.by.Config().Name, err, time.Now())
		return false
	}
	addr := c.behind
	if h.Known() {
		addr = h.Source.Addr()
	}
	if c.engine.crowd.reveal(c, addr, c.config()) {
		return true
	}
	if c.by.TLS() == nil {
		c.x = c.engine.take(c)
		c.x.refuse(wire.AnswerCrowd)
	}
	return false
}

var errLate = errors.New("no header came in time")

// introduced reads the header. io.EOF is for a connection that said nothing.
func (c *client) introduced() (h proxyproto.Header, err error) {
	var b []byte
	for {
		h, size, err := proxyproto.Parse(b)
		if err != nil || size == len(b) {
			return h, err
		}
		b = slices.Grow(b, size-len(b))
		switch n, err := c.socket.Read(b[len(b):size]); {
		case n > 0:
			b = b[:len(b)+n]
		case isTimeout(err) && !c.ends():
			return h, errLate
		case len(b) > 0:
			return h, io.ErrUnexpectedEOF
		default:
			return h, io.EOF
		}
	}
}
