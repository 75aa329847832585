//go:build linux

package loop

import (
	"golang.org/x/sys/unix"

	"rgate/internal/h1"
	"rgate/internal/proxy"
	"rgate/internal/upstream"
	"rgate/internal/wire"
)

// attempt makes the first attempt, or the next after one that ended with last.
func (l *loop) attempt(c *conn, last upstream.Outcome) {
	w := c.work
	for {
		if w.origin != nil {
			l.discard(w.origin)
			w.origin = nil
		}
		e := w.x.Next(last, l.now)
		if e == nil {
			l.answer(c)
			return
		}
		p := l.poolOf(e)
		if last != upstream.Stale && last != upstream.Reset { // after those only a fresh connection will do
			if o := l.reuse(p, !w.x.Repeatable()); o != nil {
				l.begin(c, o)
				return
			}
		}
		o, err := l.dial(p)
		if err == nil {
			l.begin(c, o)
			return
		}
		last = upstream.Undialled(err)
	}
}

// begin puts the request on its way on o.
func (l *loop) begin(c *conn, o *origin) {
	w := c.work
	c.phase = phaseRelay
	w.origin, o.client = o, c
	w.attempt = attempt{}
	w.resp.Reset()
	if w.x.Body == proxy.Replayable {
		w.in.R, w.x.BytesIn = w.keep, 0
		w.req.Body(&w.reqBody, h1.Limits{})
		w.reqDone = false
	}
	l.mem.Need(&w.up)
	w.down.Clear()
	w.up.R = 0
	w.up.B = wire.AppendRequestHead(w.up.B[:0], &w.x, &w.req)
	if o.connecting {
		l.wheel.set(&c.timer, l.now, l.cfg.Timeouts.Connect)
	} else {
		l.await(c)
	}
}

// fail ends an attempt that got no response head: there may be another.
func (l *loop) fail(c *conn, o upstream.Outcome) { l.attempt(c, o) }

// relay moves what can be moved, in both directions.
func (l *loop) relay(c *conn) step {
	w := c.work
	progress := false
	if o := w.origin; o != nil { // none once the answer is read: its end may still be here
		if o.connecting && !o.writable {
			return stall
		}
		progress = l.relayOrigin(c, o)
		if c.phase != phaseRelay || w.origin != o && w.got != whole {
			return l.next(c)
		}
	}
	if !w.out.Empty() {
		before := len(w.out.Pending())
		if !l.pushResponse(c) {
			return over
		}
		progress = progress || len(w.out.Pending()) < before && w.got != whole
	}
	if w.got == whole && w.out.Empty() {
		l.finish(c)
		return again
	}
	return moved(progress)
}

// next is the step after the end of an attempt: something else begins, where c is
// still open.
func (l *loop) next(c *conn) step {
	if c.phase == phaseClosed {
		return over
	}
	return again
}

// relayOrigin moves what can be moved to and from the endpoint.
func (l *loop) relayOrigin(c *conn, o *origin) (progress bool) {
	w := c.work
	if o.connecting {
		if failed := o.connected(); failed != upstream.None {
			l.attempt(c, failed)
			return true
		}
		l.await(c)
	}
	if !w.reqDone && w.taking == takes {
		progress = l.pullRequest(c)
	}
	if c.phase == phaseRelay && w.sent != whole && w.taking == takes {
		progress = l.pushRequest(c) || progress
	}
	if c.phase == phaseRelay && o.readable {
		progress = l.pullResponse(c) || progress
	}
	return progress
}

// pullRequest takes request body bytes from the client, framed anew.
func (l *loop) pullRequest(c *conn) bool {
	w := c.work
	progress := false
	for !w.reqDone {
		room := w.up.Room() - wire.FrameRoom
		if room < 1<<10 && !w.up.Empty() || room <= 0 {
			return progress // backpressure
		}
		if !w.in.Empty() {
			b := w.in.Pending()
			data, n, done, err := w.reqBody.Next(b[:min(len(b), room)])
			if err != nil {
				l.badRequestBody(c, wire.Refusal(err))
				return true
			}
			w.takeBody(n)
			l.received(c, len(data))
			w.up.B = wire.AppendBody(w.up.B, data, w.reqBody.Kind == h1.BodyChunked)
			if done {
				if w.reqBody.Kind == h1.BodyChunked {
					w.up.B = wire.AppendLastChunk(w.up.B, w.reqBody.Trailer(), w.x.RequestEdits())
				}
				w.reqDone = true
				return true
			}
			if n > 0 {
				progress = true
				continue
			}
		}
		if !c.ready() {
			return progress
		}
		if w.sendsThrough() {
			return l.sendThrough(c) || progress // others have their turn before more is moved
		}
		if w.x.Body != proxy.Replayable {
			w.in.Compact(w.keep)
		}
		if w.in.Room() == 0 {
			return progress
		}
		n, errno := c.read(w.in.Free())
		if errno == unix.EAGAIN {
			return progress
		}
		if n == 0 {
			l.cancel(c) // it left in the middle of its request
			return false
		}
		w.in.Fill(n)
		progress = true
	}
	return progress
}

// takeBody consumes n bytes of the request's body, which stay where they may have
// to be sent again.
func (w *work) takeBody(n int) {
	if w.x.Body == proxy.Replayable {
		w.in.R += n
	} else {
		w.in.Take(n, w.keep)
	}
}

// received counts body bytes from the client.
func (l *loop) received(c *conn, n int) {
	w := c.work
	held := w.holdsBack()
	if w.x.BytesIn += int64(n); held && !w.holdsBack() {
		l.await(c) // it did not wait to be told
	}
}

// badRequestBody ends an exchange whose request body is ill-formed: what the
// endpoint got so far is incomplete, and stays so.
func (l *loop) badRequestBody(c *conn, a *proxy.Answer) {
	w := c.work
	if w.headed() {
		l.abort(c)
		return
	}
	l.refuse(c, a)
}

// pushRequest writes to the endpoint.
func (l *loop) pushRequest(c *conn) bool {
	w, o := c.work, c.work.origin
	progress := false
	for o.writable && !w.up.Empty() {
		n, errno := o.write(w.up.Pending())
		if errno == unix.EAGAIN {
			break
		}
		if errno != 0 {
			w.stopSending(errno)
			return true
		}
		w.up.Take(n, 0)
		if n > 0 && w.sent == nothing {
			w.sent = part
		}
		progress = true
	}
	w.fed = l.waiting(&w.up, w.fed, progress)
	if !w.up.Empty() {
		w.up.Compact(0)
		return progress
	}
	if w.reqDone {
		w.sent = whole
		w.x.Asked(l.now)
		l.mem.Put(&w.up)
		if !w.headed() && w.reqBody.Kind != h1.BodyNone {
			l.await(c)
		}
	}
	return progress
}

// stopSending says that the endpoint takes no more. It may have answered before
// it closed: only reading tells.
//
// A reset is told once, to whoever writes or reads first: what is read after this
// looks like an end in order. The kernel says EPIPE where it was, and the reset
// came later (tcp_reset in Linux).
func (w *work) stopSending(errno unix.Errno) {
	w.origin.readable = true
	if w.taking = max(w.taking, deaf); errno == unix.ECONNRESET {
		w.taking = cut
	}
}

// pushResponse writes to the client; false where the client is gone.
func (l *loop) pushResponse(c *conn) bool {
	w := c.work
	progress := false
	for c.writable && !w.out.Empty() {
		n, errno := c.write(w.out.Pending())
		if errno == unix.EAGAIN {
			break
		}
		if errno != 0 {
			l.cancel(c)
			return false
		}
		w.out.Take(n, 0)
		progress = true
	}
	w.told = l.waiting(&w.out, w.told, progress)
	return true
}
