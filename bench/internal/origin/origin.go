//go:build linux

// Package origin is the upstream behind the gateways that are measured: canned
// answers, from one thread on epoll, as cheap as can be.
//
// The last part of a path says what is wanted: a number of bytes, or "head"
// for the head of the request as it arrived.
package origin

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"rgate/bench/internal/socket"
)

// Largest is the longest body it answers with.
const Largest = 1 << 20

// Server answers on one listening socket.
type Server struct {
	Address  netip.AddrPort
	listener int
	poller   *socket.Poller
	conns    map[int32]*connection
	buf      []byte
	answers  map[int][]byte // by size of body
}

// Listen opens the socket; port 0 is any free one.
func Listen(address netip.AddrPort) (*Server, error) {
	listener, at, err := socket.Listen(address)
	if err != nil {
		return nil, err
	}
	poller, err := socket.NewPoller()
	if err == nil {
		err = poller.AddReader(listener)
	}
	if err != nil {
		unix.Close(listener)
		return nil, err
	}
	return &Server{
		Address: at, listener: listener, poller: poller,
		conns: map[int32]*connection{}, buf: make([]byte, 256<<10), answers: map[int][]byte{},
	}, nil
}

// Serve answers until stop is closed, at which it looks several times a second.
func (s *Server) Serve(stop <-chan struct{}) error {
	defer s.close()
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		events, err := s.poller.Wait(pollInterval)
		if err != nil {
			return err
		}
		for _, e := range events {
			if int(e.Fd) == s.listener {
				s.accept()
			} else if c := s.conns[e.Fd]; c != nil {
				s.serve(c, socket.Ended(e))
			}
		}
	}
}

func (s *Server) close() {
	for _, c := range s.conns {
		unix.Close(c.fd)
	}
	unix.Close(s.listener)
	s.poller.Close()
}

func (s *Server) accept() {
	for {
		fd, err := socket.Accept(s.listener)
		if err != nil {
			return // none is left, or one was gone before it was taken
		}
		if err := s.poller.Add(fd); err != nil {
			unix.Close(fd)
			continue
		}
		s.conns[int32(fd)] = &connection{fd: fd}
	}
}

// serve goes on with a connection until it would block. A short read says that
// nothing is left, unless the other side has ended.
func (s *Server) serve(c *connection, ended bool) {
	err := c.flush()
	for err == nil && len(c.unsent) == 0 {
		var n int
		n, err = unix.Read(c.fd, s.buf)
		if err != nil {
			break
		}
		if n == 0 {
			err = errClosed
			break
		}
		if err = s.take(c, s.buf[:n]); err == nil && n < len(s.buf) && !ended {
			break
		}
	}
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		delete(s.conns, int32(c.fd))
		unix.Close(c.fd)
	}
}

// take goes over bytes of requests and answers those that are complete.
func (s *Server) take(c *connection, b []byte) error {
	if len(c.partial) > 0 {
		c.partial = append(c.partial, b...)
		b, c.partial = c.partial, nil
	}
	for len(b) > 0 {
		if c.bodyLeft > 0 {
			n := min(c.bodyLeft, len(b))
			c.bodyLeft -= n
			b = b[n:]
		} else {
			end := bytes.Index(b, headEnd)
			if end < 0 {
				c.partial = append(c.partial, b...)
				return nil
			}
			head := b[:end+len(headEnd)]
			b = b[len(head):]
			var err error
			if c.answer, err = s.answer(head); err != nil {
				return err
			}
			if c.bodyLeft, err = bodySize(head); err != nil {
				return err
			}
			c.waiting = true
		}
		if c.waiting && c.bodyLeft == 0 {
			c.waiting = false
			if err := c.write(c.answer); err != nil {
				return err
			}
		}
	}
	return nil
}

// answer is the whole answer to a request.
func (s *Server) answer(head []byte) ([]byte, error) {
	target, _, ok := bytes.Cut(head, []byte(" HTTP/1."))
	if !ok {
		return nil, errRequest
	}
	last := target[bytes.LastIndexByte(target, '/')+1:]
	if string(last) == "head" {
		return canned(head), nil
	}
	size := number(last)
	if size < 0 || size > Largest {
		return nil, fmt.Errorf("%w: no such path", errRequest)
	}
	known, ok := s.answers[size]
	if !ok {
		known = canned(bytes.Repeat([]byte{'x'}, size))
		s.answers[size] = known
	}
	return known, nil
}
