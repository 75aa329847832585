//go:build linux

package loop

import (
	"golang.org/x/sys/unix"

	"rgate/internal/buffer"
	"rgate/internal/h1"
	"rgate/internal/proxy"
)

// Bodies of known length are read into the loop's scratch buffer, more at once
// than an exchange has room for, and written at once. Only a side that does not
// take them costs memory. That all connections share one buffer keeps it in the
// processor's cache.

// readThrough moves bytes of an answer. The end is left to readStraight, which
// sees whether more follows.
func (l *loop) readThrough(c *conn) step {
	w, o := c.work, c.work.origin
	b := l.mem.scratch[:min(bulkSize, w.respBody.Left()-1)]
	n, errno := o.read(b)
	if errno == unix.EAGAIN {
		return stall
	}
	if n == 0 {
		return l.originEnded(c, errno != 0)
	}
	w.respBody.Skip(int64(n))
	w.x.BytesOut += int64(n)
	sent, errno := c.write(b[:n])
	if errno != 0 && errno != unix.EAGAIN {
		l.cancel(c)
		return over
	}
	if l.spill(&w.out, b[sent:n]); !w.out.Empty() {
		l.mem.Put(&w.down)
	}
	buffer.Poison(b)
	return again
}

// sendsThrough tells whether bytes of the request's body may overtake w.in and
// w.up.
func (w *work) sendsThrough() bool {
	return w.reqBody.Kind == h1.BodyLength && w.x.Body != proxy.Replayable && w.in.Empty() && w.up.Empty() && w.origin.writable
}

// sendThrough moves bytes of a request, fewer at once as w.in holds its head. It
// never reads what follows the body: that is the next request.
func (l *loop) sendThrough(c *conn) (progress bool) {
	w, o := c.work, c.work.origin
	b := l.mem.scratch[:min(bulkSize-buffer.Size, w.reqBody.Left())]
	n, errno := c.read(b)
	if errno == unix.EAGAIN {
		return false
	}
	if n == 0 {
		l.cancel(c) // it left in the middle of its request
		return false
	}
	w.reqBody.Skip(int64(n))
	l.received(c, n)
	if w.reqBody.Done() {
		w.reqDone = true
	}
	sent, errno := o.write(b[:n])
	if errno != 0 && errno != unix.EAGAIN {
		w.stopSending(errno)
		return false
	}
	l.spill(&w.up, b[sent:n])
	buffer.Poison(b)
	w.fed = l.waiting(&w.up, w.fed, sent > 0)
	return true
}

// spill keeps in b, which is empty, what was not taken.
func (l *loop) spill(b *buffer.Buffer, rest []byte) {
	if len(rest) > b.Room() {
		l.mem.Put(b)
		b.B = make([]byte, 0, bulkSize)
	}
	b.B = append(b.B, rest...)
}
