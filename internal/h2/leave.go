package h2

import (
	"encoding/binary"
	"errors"
	"time"
)

// leaving is how far this side has gone with ending a connection in order: at
// first it says so, and takes what was on its way by then; once it knows that it
// has all of that, it says which stream was the last (RFC 9113 §6.8).
type leaving uint8

const (
	stays leaving = iota
	warned
	gone
)

// pongPatience is how long the other side may take to answer a PING.
const pongPatience = time.Second

var leavePing = []byte("farewell")

// ErrLeft is that a connection came to its end in order.
var ErrLeft = errors.New("the HTTP/2 connection has ended")

// Leave ends the connection once its streams have, and those that are on their
// way.
func (c *Conn) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave()
}

func (c *Conn) leave() {
	if c.leaving != stays || c.dead != nil {
		return
	}
	c.leaving, c.farewell = warned, time.Now()
	c.out = appendGoAway(c.out, lastID, NoError, "")
	c.out = appendPing(c.out, false, leavePing)
	c.flush()
	c.arm()
}

// ponged says that the other side has read all that was sent before a PING.
func (c *Conn) ponged(data []byte) {
	if c.leaving == warned && string(data) == string(leavePing) {
		c.depart()
	}
}

// depart takes no further streams.
func (c *Conn) depart() {
	c.leaving, c.last = gone, c.lastPeer
	c.out = appendGoAway(c.out, c.lastPeer, NoError, "")
	c.flush()
	c.rest()
	c.arm()
}

// rest ends a connection that has nothing left to do.
func (c *Conn) rest() {
	if c.leaving == gone && len(c.streams) == c.lingering && c.running == 0 {
		c.fail(ErrLeft)
	}
}

// goAway is that the other side opens no more streams, and takes none above the
// last that it names.
func (c *Conn) goAway(f *frame) *ConnError {
	last, code := binary.BigEndian.Uint32(f.payload)&lastID, Code(binary.BigEndian.Uint32(f.payload[4:]))
	if code != NoError && !c.o.Client {
		return &ConnError{Code: code, Remote: true}
	}
	c.left(last)
	return c.spend("GOAWAY frames")
}

// left is that for a stream of this side.
func (c *Conn) left(last uint32) {
	for id, s := range c.streams {
		if own := id%2 == 1; own == c.o.Client && id > last {
			s.fail(&StreamError{Code: RefusedStream, Remote: true})
			c.drop(s)
		}
	}
	if c.o.Client { // what it took it may still answer, whatever moved it
		c.leaving = gone
		c.rest()
		return
	}
	if c.leaving == stays {
		c.leaving = warned
		c.depart()
	}
}

// drop lets go of a stream that is closed.
func (c *Conn) drop(s *Stream) {
	if c.streams[s.id] != s {
		return
	}
	delete(c.streams, s.id)
	if s.lingers {
		c.lingering--
	}
	if len(c.streams) == c.lingering {
		c.since = time.Now()
		c.arm()
	}
	c.rest()
}
