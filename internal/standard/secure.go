package standard

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"rgate/internal/listen"
	"rgate/internal/wire"
)

// handedOver is a connection from another engine, which has done its handshake where
// it has TLS. Below then puts that on another socket, before it is used.
type handedOver interface {
	Secured() (net.Conn, *listen.Secured)
	Below(net.Conn)
}

// greet does a TLS handshake where the listener wants one; false where it fails.
func (c *client) greet() bool {
	if h, ok := c.socket.(handedOver); ok {
		conn, s := h.Secured()
		if s != nil {
			h.Below(&steady{Conn: c.socket, client: c})
			c.Conn, c.secured = conn, s
		}
		return true
	}
	t := c.by.TLS()
	if t == nil {
		return true
	}
	below := &steady{Conn: c.socket, client: c, greeting: &greeting{engine: c.engine}}
	conn := tls.Server(below, t.Config())
	c.rest()
	_ = below.SetWriteDeadline(time.Now().Add(c.config().Timeouts.ClientHeader)) // fails on a closed connection: so does the handshake
	err := conn.HandshakeContext(c.engine.ctx)
	below.greeted()
	if err != nil {
		c.engine.log.Debug("a TLS handshake failed", "client", c.addr.String(), "error", err)
		if plain := (tls.RecordHeaderError{}); errors.As(err, &plain) && plain.Conn != nil {
			c.x = c.engine.take(c)
			c.x.refuse(wire.AnswerPlain)
		}
		return false
	}
	if conn.ConnectionState().NegotiatedProtocol == listen.ProofProtocol {
		return false // it has seen what it came for
	}
	_ = below.SetWriteDeadline(time.Time{})
	c.secured = listen.NewSecured(t, conn)
	c.Conn = conn
	return true
}

// steady is the socket below TLS, which takes a write that was cut short for the
// connection's end: so one is not, as long as the client takes some of it now and
// then. What TLS writes of its own accord, such as its answer to a change of keys,
// comes when no write is under way: it is not held to the time of the last one,
// which may be long over.
type steady struct {
	net.Conn
	client   *client
	greeting *greeting // nil once the handshake is over

	mu    sync.Mutex
	until time.Time // when writes end; zero is never
	cut   bool      // they are to end at once
}

// Read implements net.Conn.
func (s *steady) Read(b []byte) (int, error) {
	if s.greeting != nil {
		return s.greeting.read(s, b)
	}
	return s.Conn.Read(b)
}

// greeted says that the handshake is over, be it well or not.
func (s *steady) greeted() {
	s.greeting.end()
	s.greeting = nil
}

// SetDeadline implements net.Conn.
func (s *steady) SetDeadline(t time.Time) error {
	return errors.Join(s.Conn.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetWriteDeadline implements net.Conn. A time that is over ends writes for good,
// until another is set.
func (s *steady) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until, s.cut = t, !t.IsZero() && !t.After(time.Now())
	return s.Conn.SetWriteDeadline(t)
}

// Write implements net.Conn.
func (s *steady) Write(b []byte) (written int, err error) {
	if s.greeting != nil {
		s.greeting.rest()
	}
	if err := s.renew(); err != nil {
		return 0, err
	}
	for {
		n, err := s.Conn.Write(b[written:])
		if written += n; n == 0 || !isTimeout(err) {
			return written, err
		}
		if err := s.renew(); err != nil {
			return written, err
		}
		now := time.Now()
		s.client.debt.owe(reading, now, now.Add(s.client.config().Timeouts.Idle))
	}
}

// renew gives writes more time where theirs is over, unless they are to end. The
// error is one that ends them.
func (s *steady) renew() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.cut {
		return os.ErrDeadlineExceeded
	}
	if s.until.IsZero() || now.Before(s.until) {
		return nil
	}
	s.until = now.Add(s.client.config().Timeouts.Idle)
	return s.Conn.SetWriteDeadline(s.until)
}
