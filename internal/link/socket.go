package link

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// socket is what is below TLS. TLS takes a write that was cut short for the
// connection's end: so one is not, as long as the endpoint takes some of it now
// and then.
type socket struct {
	net.Conn
	sight sight
	ended bool // its end was read
	hasty bool // nothing waits
	heard int  // bytes, while hasty

	mu    sync.Mutex
	until time.Time     // when writes end; zero is never
	span  time.Duration // for which that was set
	cut   bool          // they are to end at once
}

func newSocket(conn net.Conn) *socket { return &socket{Conn: conn, sight: sightOf(conn)} }

// nothing is the error of a read, or write, that would wait. TLS goes on after
// one that is temporary.
type nothing struct{}

var errNothing error = nothing{}

func (nothing) Error() string   { return "there is nothing" }
func (nothing) Timeout() bool   { return false }
func (nothing) Temporary() bool { return true }

// errTalks ends a connection whose endpoint says more, unasked, than makes sense.
var errTalks = errors.New("the endpoint does not stop talking")

// Read implements net.Conn.
func (s *socket) Read(b []byte) (n int, err error) {
	if s.hasty {
		n, err = s.sight.read(b)
		if s.heard += n; err == nil && s.heard > mostGlance {
			err = errTalks
		}
	} else {
		n, err = s.Conn.Read(b)
	}
	s.ended = s.ended || errors.Is(err, io.EOF)
	return n, err
}

// SetDeadline implements net.Conn.
func (s *socket) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetWriteDeadline implements net.Conn. A time that is over ends writes for good,
// until another is set.
func (s *socket) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until, s.span = t, time.Until(t)
	s.cut = !t.IsZero() && s.span <= 0
	return s.Conn.SetWriteDeadline(t)
}

// Write implements net.Conn.
func (s *socket) Write(b []byte) (written int, err error) {
	if s.hasty {
		return s.sight.write(b)
	}
	for err = s.renew(); err == nil; err = s.renew() {
		n, err := s.Conn.Write(b[written:])
		var late net.Error
		if written += n; n == 0 || !errors.As(err, &late) || !late.Timeout() {
			return written, err
		}
	}
	return written, err
}

// renew gives writes more time where theirs is over, unless they are to end. What
// TLS writes of its own accord, such as its answer to a change of keys, comes when
// no write is under way, and is not held to the time of the last one.
func (s *socket) renew() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	switch {
	case s.cut:
		return os.ErrDeadlineExceeded
	case s.until.IsZero() || now.Before(s.until):
		return nil
	}
	s.until = now.Add(s.span)
	return s.Conn.SetWriteDeadline(s.until)
}
