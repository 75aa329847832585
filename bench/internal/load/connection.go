//go:build linux

package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"rgate/bench/internal/socket"
)

// connection is one client connection, with at most one request on its way.
type connection struct {
	fd       int
	request  []byte
	unsent   []byte    // of the request on its way
	pending  bool      // a request is on its way
	since    time.Time // when it was due
	partial  []byte    // of the answer's head, where it came in pieces
	inBody   bool
	bodyLeft int
	answered uint64 // answers on this socket

	wire   *wire     // both where TLS is spoken
	secure *tls.Conn // over the wire
}

// errAnswer marks an answer that is not the one expected.
var errAnswer = errors.New("wrong answer")

// errGone says that the other side closed a connection between two answers,
// which is its right.
var errGone = errors.New("connection closed between two answers")

// dial connects, and does the handshake where there is a config for TLS.
func dial(o *Options, config *tls.Config, request []byte) (*connection, error) {
	fd, err := socket.Dial(o.Address)
	if err != nil {
		return nil, err
	}
	c := &connection{fd: fd, request: request}
	if config != nil {
		if err := c.shake(o.Secure, config); err != nil {
			socket.Reset(fd)
			return nil, err
		}
	}
	return c, nil
}

// send starts the request that was due at the given moment.
func (c *connection) send(due time.Time) error {
	c.pending, c.since = true, due
	if c.secure != nil {
		if _, err := c.secure.Write(c.request); err != nil {
			return c.broken(err)
		}
		return nil
	}
	c.unsent = c.request
	return c.flush()
}

// flush writes what the socket takes.
func (c *connection) flush() error {
	if c.secure != nil && len(c.wire.kept) > 0 {
		if err := c.wire.flush(); err != nil {
			return c.broken(err)
		}
	}
	for len(c.unsent) > 0 {
		n, err := unix.Write(c.fd, c.unsent)
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil {
			return c.broken(err)
		}
		c.unsent = c.unsent[n:]
	}
	return nil
}

// receive reads what is there; done tells whether that completed the answer.
// It leaves the socket empty, as edges demand, unless an answer is complete. A
// short read says that it is empty, unless the other side has ended: that is
// found by reading on. With TLS it is the wire that knows.
func (c *connection) receive(buf []byte, want int, ended bool) (done bool, err error) {
	if c.wire != nil {
		c.wire.dry = false
	}
	for {
		n, err := c.read(buf)
		if errors.Is(err, unix.EAGAIN) {
			return false, nil
		}
		if err != nil {
			return false, c.broken(err)
		}
		if n == 0 {
			return false, c.broken(io.ErrUnexpectedEOF)
		}
		done, err := c.take(buf[:n], want)
		if done || err != nil || c.secure == nil && n < len(buf) && !ended {
			return done, err
		}
		if ended && c.wire != nil {
			c.wire.dry = false
		}
	}
}

// read is that of the socket, with its errors, TLS or not.
func (c *connection) read(buf []byte) (int, error) {
	if c.secure == nil {
		return unix.Read(c.fd, buf)
	}
	n, err := c.secure.Read(buf)
	switch {
	case errors.Is(err, nothing{}):
		err = unix.EAGAIN
	case errors.Is(err, io.EOF):
		n, err = 0, nil
	}
	return n, err
}

// take goes over bytes of an answer.
func (c *connection) take(b []byte, want int) (done bool, err error) {
	if !c.pending {
		return false, fmt.Errorf("%w: %d bytes that nobody asked for", errAnswer, len(b))
	}
	if !c.inBody {
		if len(c.partial) > 0 {
			c.partial = append(c.partial, b...)
			b = c.partial
		}
		head, ok := parseHead(b)
		if !ok {
			if len(c.partial) == 0 {
				c.partial = append(c.partial, b...)
			}
			return false, nil
		}
		if head.status != 200 || head.body != want {
			return false, fmt.Errorf("%w: status %d with %d bytes, want 200 with %d", errAnswer, head.status, head.body, want)
		}
		b = b[head.size:]
		c.partial = c.partial[:0]
		c.inBody, c.bodyLeft = true, want
	}
	if c.bodyLeft -= len(b); c.bodyLeft > 0 {
		return false, nil
	}
	if c.bodyLeft < 0 {
		return false, fmt.Errorf("%w: %d bytes too many", errAnswer, -c.bodyLeft)
	}
	c.inBody, c.pending = false, false
	c.answered++
	return true, nil
}

// broken tells a close between answers from one within.
func (c *connection) broken(err error) error {
	if c.answered > 0 && !c.inBody && len(c.partial) == 0 {
		return errGone
	}
	return fmt.Errorf("connection broken: %w", err)
}
