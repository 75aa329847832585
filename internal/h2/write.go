package h2

import (
	"slices"

	"rgate/internal/h1"
)

// Write implements net.Conn. What is written is a message of HTTP/1.1, which may
// be cut anywhere. It waits for the windows of the other side, and where a
// deadline cuts that short tells how much of b went.
func (s *Stream) Write(b []byte) (n int, err error) {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for n < len(b) && err == nil {
		if err = s.able(); err != nil {
			break
		}
		k := 0
		switch s.phase {
		case atHead:
			k, err = s.sayHead(b[n:])
		case atBody:
			k, err = s.sayBody(b[n:])
		case inTunnel:
			k, err = s.sayData(b[n:], false)
		case atEnd:
			err = errBeyond
		}
		n += k
	}
	if len(c.out) > 0 {
		c.flush()
	}
	return n, err
}

// able tells why nothing can be written.
func (s *Stream) able() error {
	switch {
	case s.err != nil:
		return s.err
	case s.id == 0 && s.c.dead != nil:
		return s.begin() // which says so
	}
	return s.writes.late()
}

// sayBody writes a part of a body: data, or what frames it. The end of it waits
// for nothing but room.
func (s *Stream) sayBody(b []byte) (int, error) {
	if left := s.body.Left(); left > 0 {
		b = b[:min(left, int64(len(b)))]
		n, err := s.sayData(b, s.body.Kind == h1.BodyLength && int64(len(b)) == left)
		s.body.Skip(int64(n))
		return n, err
	}
	if err := s.roomForHead(); err != nil {
		return 0, err
	}
	n, had := 0, len(s.head)
	var done bool
	var err error
	if had == 0 {
		_, n, done, err = s.body.Next(b[:1])
	}
	if n == 0 && !done && err == nil { // a trailer section, which is parsed in whole
		s.head = append(s.head, b...)
		_, n, done, err = s.body.Next(s.head)
		if err == nil && !done {
			return len(b), nil
		}
		n -= had
		defer func() { s.head = nil }()
	}
	if err != nil {
		s.reset(InternalError, err)
		return 0, err
	}
	if done {
		s.sayTrailer(s.body.Trailer())
	}
	return n, nil
}

// sayTrailer ends the message.
func (s *Stream) sayTrailer(trailer []h1.Field) {
	if len(trailer) == 0 {
		s.end()
		return
	}
	s.c.encoded.Reset()
	for i := range trailer {
		s.c.field(&trailer[i])
	}
	s.sayBlock(true)
}

// sayBlock sends the fields that were encoded.
func (s *Stream) sayBlock(end bool) {
	c := s.c
	c.need()
	c.out = appendBlock(c.out, s.id, c.encoded.Bytes(), end, c.largest())
	if end {
		s.over()
	}
}

// end ends the message with nothing more.
func (s *Stream) end() {
	if s.sent {
		return
	}
	s.c.out = appendFrame(s.c.out, 0, kindData, flagEndStream, s.id)
	s.over()
}

func (s *Stream) over() {
	s.sent, s.phase = true, atEnd
	s.settle()
}

// sayData sends data, the last of the message's with last.
func (s *Stream) sayData(b []byte, last bool) (n int, err error) {
	c := s.c
	for n < len(b) {
		k, err := s.room(len(b) - n)
		if err != nil {
			return n, err
		}
		flags := uint8(0)
		if last && n+k == len(b) {
			flags = flagEndStream
		}
		c.need()
		c.out = append(appendFrame(c.out, k, kindData, flags, s.id), b[n:n+k]...)
		s.window -= int64(k)
		c.window -= int64(k)
		if k == len(b)-n || k >= paying { // windows of a few bytes are work alone
			c.control.gain(paidByData * (1 + k/paying))
		}
		if n += k; flags != 0 {
			s.over()
		}
		c.next()
	}
	return n, nil
}

// largest is the payload that a frame may have here.
func (c *Conn) largest() int { return min(c.peerFrame, maxFrame) }

// room waits until some of want may be sent, and takes turns with others that
// wait for the same.
func (s *Stream) room(want int) (int, error) {
	c := s.c
	for {
		err := s.able()
		if err == nil && s.window > 0 && c.free() && (len(c.waiting) == 0 || c.waiting[0] == s) {
			s.unqueue()
			return int(min(int64(want), int64(c.largest()), s.window, c.window)), nil
		}
		if err == nil {
			if s.window <= 0 { // others may go on
				s.unqueue()
			} else if !s.queued {
				s.queued = true
				c.waiting = append(c.waiting, s)
			}
			c.next()
			c.flush()
			err = s.writes.wait(&c.mu)
		}
		if err != nil {
			s.unqueue()
			c.next()
			return 0, err
		}
	}
}

func (s *Stream) unqueue() {
	if !s.queued {
		return
	}
	s.queued = false
	if at := slices.Index(s.c.waiting, s); at >= 0 {
		s.c.waiting = slices.Delete(s.c.waiting, at, at+1)
	}
}

// free tells whether a stream may send that has a window.
func (c *Conn) free() bool { return c.window > 0 && len(c.out) < mostOut }

// next wakes whose turn it is.
func (c *Conn) next() {
	if len(c.waiting) > 0 && c.free() {
		c.waiting[0].writes.signal()
	}
}

// roomForHead waits until what is not DATA may be sent.
func (s *Stream) roomForHead() error {
	c := s.c
	for len(c.out) >= mostOut {
		if err := s.able(); err != nil {
			return err
		}
		if !slices.Contains(c.heads, s) {
			c.heads = append(c.heads, s)
		}
		c.flush()
		if err := s.writes.wait(&c.mu); err != nil {
			return err
		}
	}
	return s.able()
}
