package h2

import (
	"errors"
	"io"
	"net"
	"time"

	"rgate/internal/buffer"
	"rgate/internal/h1"
)

// spare lends memory for what is not read yet.
var spare buffer.Pool

// Stream is one request and its answer. It is a net.Conn on which these are of
// HTTP/1.1.
type Stream struct {
	c  *Conn
	id uint32

	// What comes.
	text     []byte        // goes before the data
	in       buffer.Buffer // data
	chunked  bool          // it is read in chunks
	chunk    int           // bytes left of the one that is being read
	closing  bool          // text has the last
	left     int64         // bytes to come; -1 where nobody said
	trailer  []byte        // worded
	headed   bool          // its final head came
	ended    bool          // all of it came
	received int64         // what the other side may still send
	unread   int           // what was read of that, and not told
	refused  error         // the message is malformed
	small    [24]byte      // where text is worded that frames chunks
	reads    side

	// What goes.
	phase  phase
	head   []byte  // of what is parsed only in whole
	body   h1.Body // of the message that is written
	window int64   // what may still be sent
	queued bool
	sent   bool // all of it went
	writes side

	method  string
	accept  string // what a WebSocket's answer must say; "" where none was asked for
	tunnel  bool   // it is a WebSocket
	err     error  // why it has ended before its time
	closed  bool
	lingers bool // it is left to an end that says nothing
	abandon Code // what it is reset with where it is closed before its time
}

// phase is how far a message is written.
type phase uint8

const (
	atHead phase = iota
	atBody
	inTunnel
	atEnd
)

var errBeyond = errors.New("cannot write to the HTTP/2 stream: its message is over")

// ID is the stream's number.
func (s *Stream) ID() uint32 { return s.id }

// Refused is why the message that came is malformed; nil where it is not. There
// is nothing to be read then.
func (s *Stream) Refused() error { return s.refused }

// Read implements net.Conn. The end of what comes shows as it does on a
// connection that stays: by the message's own framing.
func (s *Stream) Read(p []byte) (int, error) {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := s.reads.late(); err != nil {
			return 0, err
		}
		if s.err != nil {
			return 0, s.err
		}
		if n := s.take(p); n > 0 || len(p) == 0 {
			if len(c.out) > 0 {
				c.flush()
			}
			return n, nil
		}
		if s.ended && (s.tunnel || s.sent) {
			return 0, io.EOF
		}
		if err := s.reads.wait(&c.mu); err != nil {
			return 0, err
		}
	}
}

// take copies to p what is there.
func (s *Stream) take(p []byte) (n int) {
	for n < len(p) {
		if len(s.text) > 0 {
			k := copy(p[n:], s.text)
			if s.text = s.text[k:]; len(s.text) == 0 {
				s.text = nil
			}
			n += k
			continue
		}
		data := s.in.Pending()
		if s.chunked && s.chunk > 0 {
			data = data[:s.chunk]
		}
		switch {
		case len(data) == 0 && s.chunked && s.ended && !s.closing:
			s.closing = true
			s.text = append(append(append(s.small[:0], "0\r\n"...), s.trailer...), "\r\n"...)
		case len(data) == 0:
			return n
		case s.chunked && s.chunk == 0:
			s.chunk = len(data)
			s.text = h1.AppendChunkHeader(s.small[:0], len(data))
		default:
			k := copy(p[n:], data)
			n += k
			s.consume(k)
			if s.chunked {
				if s.chunk -= k; s.chunk == 0 {
					s.text = append(s.small[:0], "\r\n"...)
				}
			}
		}
	}
	return n
}

func (s *Stream) consume(n int) {
	if s.in.R += n; s.in.Empty() {
		spare.Put(&s.in)
	}
	s.opens(n)
	s.c.opens(n)
}

// arrive takes data that came.
func (s *Stream) arrive(b []byte) *ConnError {
	if s.left >= 0 {
		if s.left -= int64(len(b)); s.left < 0 {
			s.c.opens(len(b))
			return s.c.endStream(s.id, ProtocolError, ErrLength.Text)
		}
	}
	spare.Need(&s.in)
	if s.in.Room() < len(b) {
		s.in.Compact(0)
	}
	for s.in.Room() < len(b) {
		spare.Widen(&s.in, 2*cap(s.in.B))
	}
	s.in.B = append(s.in.B, b...)
	s.reads.signal()
	return nil
}

// finish says that all has come.
func (s *Stream) finish(trailer []byte) *ConnError {
	if s.left > 0 {
		return s.c.endStream(s.id, ProtocolError, ErrLength.Text)
	}
	s.ended, s.trailer = true, trailer
	s.reads.signal()
	s.settle()
	return nil
}

// settle lets go of a stream on which all has come and gone.
func (s *Stream) settle() {
	if s.ended && s.sent {
		s.c.drop(s)
		s.reads.signal()
	}
}

// fail ends a stream before its time.
func (s *Stream) fail(err error) {
	if s.err != nil {
		return
	}
	if s.c.o.Client && s.ended && !s.closed { // its answer is whole, and stays to be read
		s.deaf()
		return
	}
	s.err = err
	if n := len(s.in.Pending()); s.in.B != nil {
		spare.Put(&s.in)
		s.c.opens(n)
	}
	s.reads.signal()
	s.writes.signal()
}

// reset ends a stream from this side.
func (s *Stream) reset(code Code, err error) {
	c := s.c
	if s.err == nil && c.streams[s.id] == s {
		c.out = appendReset(c.out, s.id, code)
		c.ended.add(s.id)
		c.drop(s)
		c.flush()
	}
	s.fail(err)
}

// Close implements net.Conn. A message that is not whole by then is reset, and so
// is what the other side has not sent, for which there is no use any more.
func (s *Stream) Close() error {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	c.running--
	s.stop()
	s.fail(net.ErrClosed)
	c.rest()
	return nil
}

// stop resets what is not over.
func (s *Stream) stop() {
	switch {
	case s.refused != nil && s.err == nil:
		// Its answer, if it was given, is whole; that the request was malformed is
		// said all the same (RFC 9113 §8.1.1).
		if s.c.streams[s.id] == nil && s.c.dead == nil {
			s.c.out = appendReset(s.c.out, s.id, ProtocolError)
			s.c.flush()
		}
		s.reset(ProtocolError, net.ErrClosed)
	case !s.sent:
		s.reset(s.abandon, net.ErrClosed)
	case !s.ended && s.linger():
	case !s.ended && s.c.o.Client:
		s.reset(Cancel, net.ErrClosed)
	case !s.ended:
		s.reset(NoError, io.EOF) // what the request still has is not wanted (RFC 9113 §8.1)
	}
}

// CloseWrite ends the sending side. A message that is not whole by then breaks
// off.
func (s *Stream) CloseWrite() error {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case s.err != nil:
		return s.err
	case s.phase == inTunnel:
		s.end()
		c.flush()
	default:
		s.stop()
	}
	return nil
}

// SetLinger is for who closes a stream before its time on purpose.
func (s *Stream) SetLinger(int) error { return nil }

// SetDeadline implements net.Conn.
func (s *Stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.limit(&s.reads, t) }

// SetWriteDeadline implements net.Conn.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.limit(&s.writes, t) }

func (s *Stream) limit(d *side, t time.Time) error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	d.until = t
	d.signal()
	if s.closed {
		return net.ErrClosed
	}
	return nil
}

// LocalAddr implements net.Conn.
func (s *Stream) LocalAddr() net.Addr { return s.c.local }

// RemoteAddr implements net.Conn.
func (s *Stream) RemoteAddr() net.Addr { return s.c.remote }

// Look tells whether a read would wait, and whether the other side has ended the
// stream before its time.
func (s *Stream) Look() (silent, ended bool) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	there := len(s.text) > 0 || !s.in.Empty() || s.ended && (s.chunked && !s.closing || s.tunnel)
	return s.err == nil && !there, s.err != nil
}
