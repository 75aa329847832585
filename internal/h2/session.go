package h2

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"rgate/internal/buffer"
)

// Session is how a connection's bytes are moved: by who calls Serve, which reads,
// and by a second goroutine, which writes.
type Session struct {
	// Open is told of a stream that the other side opened. It must not wait.
	Open func(*Stream)
	// Idle is how long the connection may be without a stream, and Head how long a
	// head may take to come.
	Idle, Head func() time.Duration

	conn   *Conn
	socket net.Conn
}

// Serve moves bytes until the connection has ended, and returns why. first came
// before. It does not close socket.
func (s *Session) Serve(c *Conn, socket net.Conn, first []byte) error {
	s.conn, s.socket = c, socket
	c.attach(s)
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.write()
	}()
	err := s.read(first)
	c.mu.Lock()
	c.fail(err)
	err = c.dead
	c.cutoff = nil
	c.mu.Unlock()
	<-written
	return err
}

// attach has c know the socket that it is spoken on.
func (c *Conn) attach(s *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.local, c.remote = s.socket.LocalAddr(), s.socket.RemoteAddr()
	c.cutoff = func(t time.Time) { _ = s.socket.SetReadDeadline(t) } // fails on a closed connection: so does the read
	c.idleTime, c.headTime = s.Idle, s.Head
	c.since = time.Now()
	c.arm()
}

// firstSize is what a quiet connection's next bytes are read into: it holds no
// other buffer.
const firstSize = 512

// read feeds what comes.
func (s *Session) read(first []byte) error {
	var in buffer.Buffer
	var small [firstSize]byte
	defer spare.Put(&in)
	for b := first; ; {
		if len(b) > 0 {
			if in.B == nil {
				spare.Need(&in)
			}
			for in.Room() < len(b) {
				spare.Widen(&in, 2*cap(in.B))
			}
			in.B = append(in.B, b...)
		}
		n, err := s.conn.Feed(in.Pending())
		in.R += n
		s.hand()
		if err != nil {
			return err
		}
		b = nil
		if in.Empty() {
			spare.Put(&in)
			if n, err = s.next(small[:]); err != nil {
				return err
			}
			b = small[:n]
			continue
		}
		if in.Compact(0); in.Room() == 0 {
			spare.Widen(&in, 2*cap(in.B))
		}
		if n, err = s.next(in.Free()); err != nil {
			return err
		}
		in.Fill(n)
	}
}

// next reads, at least one byte.
func (s *Session) next(p []byte) (int, error) {
	for {
		n, err := s.socket.Read(p)
		if n > 0 {
			return n, nil
		}
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			if err = s.conn.expire(); err == nil {
				continue
			}
		}
		return 0, err
	}
}

// hand tells of the streams that are new.
func (s *Session) hand() {
	for _, one := range s.conn.Opened() {
		s.Open(one)
	}
}

// memory lends what is written from.
var memory = sync.Pool{New: func() any { b := make([]byte, 0, mostOut+maxFrame+frameHead); return &b }}

// need gives out memory that holds as much as will come to be there.
func (c *Conn) need() {
	if c.out == nil {
		c.out = *memory.Get().(*[]byte)
	}
}

// Take gives out what is to be sent. With done nothing follows it.
func (c *Conn) Take() (b []byte, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, c.out = c.out, nil
	for _, s := range c.heads {
		s.writes.signal()
	}
	c.heads = c.heads[:0]
	c.next()
	return b, c.dead != nil
}

// giveBack takes back what Take gave out.
func giveBack(b []byte) {
	if cap(b) == mostOut+maxFrame+frameHead {
		buffer.Poison(b[:cap(b)])
		b = b[:0]
		memory.Put(&b)
	}
}

// write sends what there is to be sent.
func (s *Session) write() {
	for range s.conn.kick {
		b, done := s.conn.Take()
		for ; len(b) > 0; b, done = s.conn.Take() {
			_, err := s.socket.Write(b)
			giveBack(b)
			if err != nil {
				s.conn.broken(err)
				return
			}
		}
		if done {
			return
		}
	}
}

// broken says that nothing can be sent any more.
func (c *Conn) broken(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(err)
}

// Opened gives out the streams that the other side opened since.
func (c *Conn) Opened() (all []*Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, c.opened = c.opened, nil
	return all
}

// arm has the next read end when there is something to be done.
func (c *Conn) arm() {
	if c.cutoff == nil {
		return
	}
	var until time.Time
	switch {
	case c.dead != nil:
		until = past
	case c.leaving == warned:
		until = c.farewell.Add(pongPatience)
	case c.block.id != 0:
		until = c.block.since.Add(c.headTime())
	case len(c.streams) == c.lingering && c.leaving == stays:
		until = c.since.Add(c.idleTime())
	}
	if !until.Equal(c.until) {
		c.until = until
		c.cutoff(until)
	}
}

var past = time.Unix(1, 0)

// expire does what arm had a read end for. The error ends the connection.
func (c *Conn) expire() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.dead != nil || c.until.IsZero() || time.Now().Before(c.until):
	case c.leaving == warned:
		c.depart()
	case c.block.id != 0:
		c.fail(calm("seconds that a head took"))
	case !c.settled:
		c.fail(fatal(SettingsTimeout, "nothing came"))
	default:
		c.leave()
	}
	return c.dead
}
