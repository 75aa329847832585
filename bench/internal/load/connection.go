//go:build linux

package load

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
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
}

// errAnswer marks an answer that is not the one expected.
var errAnswer = errors.New("wrong answer")

// errGone says that the other side closed a connection between two answers,
// which is its right.
var errGone = errors.New("connection closed between two answers")

func dial(address netip.AddrPort, request []byte) (*connection, error) {
	fd, err := socket.Dial(address)
	if err != nil {
		return nil, err
	}
	return &connection{fd: fd, request: request}, nil
}

// send starts the request that was due at the given moment.
func (c *connection) send(due time.Time) error {
	c.unsent, c.pending, c.since = c.request, true, due
	return c.flush()
}

// flush writes what the socket takes.
func (c *connection) flush() error {
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
// found by reading on.
func (c *connection) receive(buf []byte, want int, ended bool) (done bool, err error) {
	for {
		n, err := unix.Read(c.fd, buf)
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
		if done || err != nil || n < len(buf) && !ended {
			return done, err
		}
	}
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
