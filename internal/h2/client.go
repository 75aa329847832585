package h2

import (
	"errors"
	"time"

	"golang.org/x/net/http2/hpack"
)

// mostLingering is how many streams may wait for an end that says nothing more:
// what their messages hold has come.
const mostLingering = 32

// mostUnread bounds the heads of answers (1xx) that nobody reads.
const mostUnread = 64 << 10

// paidByAnswer is what an answer earns the other side: it may be followed by
// frames that carry nothing, as is a reset of what the request still has.
const paidByAnswer = 4

// ErrFull is that no stream can be opened on a connection now.
var ErrFull = errors.New("the HTTP/2 connection takes no further stream")

// Ready is closed once the other side has said its SETTINGS, or the connection is
// dead, for which Err is asked.
func (c *Conn) Ready() <-chan struct{} { return c.ready }

// Err is why the connection is dead; nil while it is not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// begun says that SETTINGS came, or that none will.
func (c *Conn) begun() {
	if c.ready == nil {
		return
	}
	select {
	case <-c.ready:
	default:
		close(c.ready)
	}
}

// Ask opens a stream, on which a request is then written. It counts at once, and
// the other side knows of it once the request's head is whole; should the
// connection take none by then, writing fails as with a stream that was refused.
// nil where there is no room. rested is for how long the connection had had no
// stream, and negative where it has some, or never had any.
func (c *Conn) Ask() (s *Stream, rested time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.running + c.lingering
	if c.dead != nil || c.leaving != stays || !c.settled || c.lastOwn >= lastID-2 || taken >= c.o.Streams || uint32(taken) >= c.peerStreams {
		return nil, 0
	}
	rested = -1
	if len(c.streams) == c.lingering && c.running == 0 && c.served > 0 {
		rested = time.Since(c.since)
	}
	c.running++
	c.served++
	return &Stream{c: c, left: -1, received: streamWindow, abandon: Cancel}, rested
}

// Kill ends the connection, and all streams.
func (c *Conn) Kill(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(why)
}

// Quiet tells whether nothing has come since.
func (c *Conn) Quiet(since time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard.Before(since)
}

// Unprocessed tells whether err says of a request that the other side has not
// looked at it, so that it can be made again whatever it is (RFC 9113 §8.7).
func Unprocessed(err error) bool {
	var wrong *StreamError
	return errors.As(err, &wrong) && wrong.Code == RefusedStream && wrong.Remote
}

// begin opens the stream for the other side.
func (s *Stream) begin() error {
	c := s.c
	switch {
	case c.dead != nil, c.leaving != stays, c.lastOwn >= lastID-2:
		s.err = &StreamError{Code: RefusedStream, Remote: true} // it will never know of this one
		return s.err
	case c.lastOwn == 0:
		c.lastOwn = 1
	default:
		c.lastOwn += 2
	}
	s.id, s.window = c.lastOwn, c.peerWindow
	c.streams[s.id] = s
	c.arm()
	return nil
}

// deaf says that the other side, whose message is whole, takes nothing more.
func (s *Stream) deaf() {
	s.sent, s.phase, s.head = true, atEnd, nil
	s.unqueue()
	s.reads.signal()
	s.writes.signal()
}

// linger leaves a stream, for which nobody cares any more, to an end that says
// nothing; false where there are too many of these.
func (s *Stream) linger() bool {
	c := s.c
	if !c.o.Client || s.left != 0 || s.err != nil || c.streams[s.id] != s || c.lingering >= mostLingering {
		return false
	}
	s.lingers = true
	c.lingering++
	c.arm()
	return true
}

// answered takes the head of an answer, or its trailer section.
func (s *Stream) answered(k *block) *ConnError {
	if s.headed {
		return s.trailers(k)
	}
	a := &told{}
	wrong := k.section.wrong
	if wrong == nil {
		wrong = a.sort(k.section.fields)
	}
	if wrong == nil {
		wrong = s.wordAnswer(a, k.end)
	}
	if wrong != nil {
		s.fail(wrong)
		return s.c.endStream(s.id, ProtocolError, wrong.Text)
	}
	if len(s.text) > mostUnread {
		return s.c.endStream(s.id, EnhanceYourCalm, "too many answers of 1xx")
	}
	s.c.control.gain(paidByAnswer)
	if k.end {
		return s.finish(nil)
	}
	s.reads.signal()
	return nil
}

// told is an answer's field section, sorted.
type told struct {
	status  int // 0 where it was not said
	length  string
	trailer bool // it says what its trailer section will have
	fields  []hpack.HeaderField
}
