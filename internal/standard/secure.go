package standard

import (
	"crypto/tls"
	"errors"
	"net"
	"time"

	"rgate/internal/listen"
	"rgate/internal/wire"
)

// secured is what is known of a connection with TLS.
type secured struct {
	tls   *listen.TLS
	asked string // for which host the connection was made
}

// greet does a TLS handshake where the listener wants one; false where it fails.
func (c *client) greet() bool {
	t := c.by.TLS()
	if t == nil {
		return true
	}
	conn := tls.Server(steady{c.socket, c}, t.Config)
	_ = c.SetDeadline(time.Now().Add(c.config().Timeouts.ClientHeader)) // fails on a closed connection: so does the handshake
	if err := conn.HandshakeContext(c.engine.ctx); err != nil {
		c.engine.log.Debug("a TLS handshake failed", "client", c.addr.String(), "error", err)
		if plain := (tls.RecordHeaderError{}); errors.As(err, &plain) && plain.Conn != nil {
			c.x = c.engine.take(c)
			c.x.refuse(wire.AnswerPlain)
		}
		return false
	}
	_ = c.socket.SetWriteDeadline(time.Time{})
	c.secured = &secured{t, listen.Asked(conn)}
	c.Conn = conn
	return true
}

// misdirected tells whether x is for a host that its connection was not made
// for.
func (x *exchange) misdirected() bool {
	s := x.client.secured
	return s != nil && !s.tls.Belongs(s.asked, x.Host)
}

// steady is the socket below TLS, which takes a write that was cut short for the
// connection's end: so one is not, as long as the client takes some of it now and
// then.
type steady struct {
	net.Conn
	client *client
}

// Write implements net.Conn.
func (s steady) Write(b []byte) (written int, err error) {
	for {
		n, err := s.Conn.Write(b[written:])
		if written += n; n == 0 || !isTimeout(err) {
			return written, err
		}
		now := time.Now()
		until := now.Add(s.client.config().Timeouts.Idle)
		s.client.debt.owe(reading, now, until)
		if err := s.Conn.SetWriteDeadline(until); err != nil {
			return written, err
		}
	}
}
