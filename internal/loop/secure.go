//go:build linux

package loop

import (
	"crypto/tls"
	"io"
	"net"

	"golang.org/x/sys/unix"

	"rgate/internal/buffer"
	"rgate/internal/listen"
)

// secure is TLS between a client's socket and what the loop reads and writes: a
// stock tls.Conn on an adaptor that never waits (below.go). Above it is read and
// write, which do as a socket's do. What they rest on in crypto/tls is held by
// the tests TestCryptoTLS….
type secure struct {
	tls     *listen.TLS     // how the connection is secured
	known   *listen.Secured // nil before the handshake is done
	conn    *tls.Conn       // nil before the client has said something
	loop    *loop
	client  *conn
	hello   *greeting // nil but while a handshake is under way
	below   net.Conn  // what it lies on once it is handed over; nil for the loop's socket
	rest    []byte    // records that the socket has not taken
	sealed  int32     // bytes that write was given, and not said to be written, which are in records
	records records   // that conn took
	waiting bool      // a read may bring something, though no event says so
	gathers bool      // records are to go out together
	ends    bool      // the sending side ends once rest is out
	over    fate      // of the client's side
}

// fate is how a client's side of TLS has ended.
type fate uint8

const (
	alive  fate = iota
	ended       // in order
	failed      // otherwise; or the connection did
)

// recordsAtOnce is how many records one read takes: they may be tiny.
const recordsAtOnce = 32

// mostRest is how much may be left to be sent where it was not the loop that wrote
// it: a client that has TLS answer it, and does not read, is closed.
const mostRest = 2 * bulkSize

// read reads what is there, as sock.read does. epoll does not see what conn holds:
// so more may be there until nothing was.
func (s *secure) read(b []byte) (n int, errno unix.Errno) {
	for reads := 0; s.over == alive && n < len(b) && reads < recordsAtOnce; reads++ {
		m, err := s.conn.Read(b[n:])
		if n += m; len(s.rest) > mostRest {
			err = errGone
		}
		switch err {
		case nil:
			if n < len(b) && s.records.one() {
				s.waiting = false
				return n, 0
			}
		case errNothing:
			s.records.none()
			if s.waiting = false; n > 0 {
				return n, 0
			}
			return 0, unix.EAGAIN
		case io.EOF:
			s.over = ended
		default:
			s.over = failed
		}
	}
	switch s.waiting = true; {
	case n > 0 || s.over == ended:
		return n, 0
	}
	return 0, unix.ECONNRESET
}

// write writes as much as fits, as sock.write does: what is sealed and did not fit
// is not written yet. The next write is given the same bytes again, of which those
// are not sealed twice.
func (s *secure) write(b []byte) (int, unix.Errno) {
	if s.flush(); s.sealed == 0 && len(s.rest) == 0 {
		b = b[:min(len(b), bulkSize)]
		s.gathers = len(b) > buffer.Size
		n, err := s.conn.Write(b)
		if s.sealed = int32(n); s.gathers {
			s.gathers = false
			s.sendGathered()
		}
		if err != nil {
			s.over = failed
		}
	}
	if s.over == failed {
		return 0, unix.ECONNRESET
	}
	n := max(s.sealed-int32(len(s.rest)), 0) // a record is longer than what it holds
	if s.sealed -= n; n == 0 {
		return 0, unix.EAGAIN
	}
	return int(n), 0
}

// farewell says that nothing more will come. What cannot go out yet is kept.
func (s *secure) farewell() {
	if s.known != nil {
		_ = s.conn.CloseWrite() // cannot fail but where it was said already
	}
}

// ready tells whether a read may bring something.
func (c *conn) ready() bool { return c.readable || c.tls != nil && c.tls.waiting }

// read reads what the client says, as a socket's read does.
func (c *conn) read(b []byte) (int, unix.Errno) {
	if c.tls != nil {
		return c.tls.read(b)
	}
	return c.sock.read(b)
}

// write writes to the client, as a socket's write does.
func (c *conn) write(b []byte) (int, unix.Errno) {
	if c.tls != nil {
		return c.tls.write(b)
	}
	return c.sock.write(b)
}

// alive tells whether a quiet c has nothing to say, and is not at its end.
func (c *conn) alive() bool { return !c.ready() && c.sock.alive() }
