package standard

import (
	"bytes"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/config"
	"rgate/internal/h2"
	"rgate/internal/wire"
)

// session is a client's connection that speaks HTTP/2. Each of its streams is a
// client of its own for as long as it lasts, on a connection that speaks HTTP/1.1
// in memory. The limits count the connection alone.
type session struct {
	*client
	conn    *h2.Conn
	taking  debt // that it takes of what it is sent; the connection's own is for its next stream
	streams sync.WaitGroup
	opened  atomic.Int64

	mu  sync.Mutex
	all map[*client]struct{} // its streams
}

// negotiated tells whether HTTP/2 comes first, by the handshake or because nothing
// else is taken, and whether the listener takes what does.
func (c *client) negotiated() (http2, ok bool) {
	if c.secured == nil {
		return !c.by.Config().Protocols.Has(config.H1), true
	}
	if t, is := c.Conn.(interface{ ConnectionState() tls.ConnectionState }); is {
		http2 = t.ConnectionState().NegotiatedProtocol == "h2"
	}
	return http2, http2 || c.by.Config().Protocols.Has(config.H1)
}

// foresees tells whether what the parser refused with err is the beginning of
// HTTP/2 where the listener takes that unasked (RFC 9113 §3.3).
func (c *client) foresees(b []byte, err error) bool {
	return c.served == 0 && c.secured == nil && wire.Foresees(b, err) && c.by.Config().Protocols.Has(config.H2C)
}

// multiplex serves HTTP/2, of which first has come.
func (c *client) multiplex(first []byte) {
	cfg := c.config()
	s := &session{client: c, all: map[*client]struct{}{}}
	s.conn = h2.New(h2.Options{
		Secure: c.secured != nil, Streams: cfg.Limits.Streams,
		Head: cfg.Limits.HeaderBytes, Fields: cfg.Limits.HeaderCount,
	})
	first = bytes.Clone(first)
	c.release()
	c.mu.Lock()
	c.quiet = false
	c.mu.Unlock()
	c.session.Store(s)
	if c.ends() { // whoever said so later found the session
		s.conn.Leave()
	}
	now := time.Now()
	c.debt.owe(request, now, now.Add(s.patience()))
	shell := h2.Session{Open: s.open, Idle: s.patience, Head: s.headPatience}
	err := shell.Serve(s.conn, &spoken{c.Conn, s}, first)
	c.engine.log.Debug("an HTTP/2 connection ended", "client", c.addr.String(), "cause", err)
	s.streams.Wait()
	c.hangUp()
}

// patience is how long the connection may be without a stream.
func (s *session) patience() time.Duration {
	switch t := &s.config().Timeouts; {
	case s.engine.stopping():
		return time.Duration(s.engine.linger.Load())
	case s.by.Draining():
		return s.by.Linger()
	case s.opened.Load() > 0:
		return t.Idle
	default:
		return t.ClientHeader
	}
}

func (s *session) headPatience() time.Duration { return s.config().Timeouts.ClientHeader }

// open serves a stream.
func (s *session) open(stream *h2.Stream) {
	c := s.client
	one := &client{
		Conn: stream, socket: stream, stream: stream, secured: c.secured, engine: c.engine, by: c.by, addr: c.addr,
		sight: sight{own: stream},
		ahead: true, // its head is here
	}
	one.by.Hold()
	c.engine.running.begin()
	s.streams.Add(1)
	s.enter(one)
	if most := c.config().Limits.RequestsPerConnection; s.opened.Add(1) >= int64(most) && most > 0 {
		s.conn.Leave()
	}
	go s.serve(one)
}

// serve answers what a stream asks.
func (s *session) serve(one *client) {
	defer s.end(one)
	if err := one.stream.Refused(); err != nil {
		one.x = one.engine.take(one)
		one.x.refuse(wire.Refusal(err))
		return
	}
	if one.await() && one.head() {
		one.respond()
	}
}

func (s *session) end(one *client) {
	_ = one.Close()
	one.release()
	s.leave(one)
	one.by.Release()
	one.engine.running.end()
	s.streams.Done()
}

func (s *session) enter(one *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[one] = struct{}{}
	s.debt.pay()
}

func (s *session) leave(one *client) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, one)
	if len(s.all) == 0 {
		s.debt.owe(request, now, now.Add(s.patience()))
	}
}

// due is as debt's. A connection gets on that takes what it is sent, and has one
// stream that gets on; else it would be closed with the last of them.
func (s *session) due(now time.Time, cfg *config.Config, heavy bool) (latest time.Time) {
	if !s.taking.paid() {
		if at := s.taking.due(now, cfg, heavy); !at.IsZero() {
			return at
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return s.debt.due(now, cfg, heavy)
	}
	for one := range s.all {
		if one.debt.paid() {
			return time.Time{}
		}
		at := one.debt.due(now, cfg, heavy)
		if at.IsZero() {
			return at
		}
		if at.After(latest) {
			latest = at
		}
	}
	return latest
}

// spoken is the connection as the session uses it: a write may last as long as
// the client takes some of it now and then.
type spoken struct {
	net.Conn
	session *session
}

// Write implements net.Conn.
func (s *spoken) Write(b []byte) (written int, err error) {
	defer s.session.taking.pay()
	for {
		now := time.Now()
		until := now.Add(s.session.config().Timeouts.Idle)
		s.session.taking.owe(reading, now, until)
		if err := s.SetWriteDeadline(until); err != nil {
			return written, err
		}
		n, err := s.Conn.Write(b[written:])
		if written += n; n == 0 || !isTimeout(err) {
			return written, err
		}
	}
}
