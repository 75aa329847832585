//go:build linux

package loop

import (
	"golang.org/x/sys/unix"

	"rgate/internal/buffer"
	"rgate/internal/h1"
	"rgate/internal/proxy"
	"rgate/internal/upstream"
	"rgate/internal/wire"
)

// headGrowth is what rgate adds to an answer's head, with something to spare.
const headGrowth = 1 << 10

// readsPerTurn is how often an answer is read from in a turn, where its client
// takes what is read at once: other connections have their turns, too.
const readsPerTurn = 4

// pullResponse takes from the endpoint what there is room for.
func (l *loop) pullResponse(c *conn) bool {
	w, o := c.work, c.work.origin
	// Only now, as with w.down, so that those who wait for an answer hold none
	// of these, and the few in use stay in the processor's cache.
	l.mem.Need(&w.out)
	progress := false
	for reads := 0; reads < readsPerTurn && o.readable && w.got != whole; reads++ {
		if w.headed() && !w.respReadable() {
			return progress // backpressure
		}
		switch l.readResponse(c) {
		case stall:
			return progress
		case over:
			return c.phase != phaseClosed
		}
		progress = true
	}
	return progress
}

// respReadable tells whether the client has taken enough for more to be read.
func (w *work) respReadable() bool {
	if w.out.Room() < 1<<10 {
		w.out.Compact(0)
	}
	return w.out.Room() >= 1<<10+wire.FrameRoom
}

// readResponse reads once. It is over where the attempt is.
func (l *loop) readResponse(c *conn) step {
	w, o := c.work, c.work.origin
	if w.headed() && w.down.Empty() && w.respBody.Kind == h1.BodyLength {
		return l.readStraight(c)
	}
	l.mem.Need(&w.down)
	w.down.Compact(0)
	if w.down.Room() == 0 {
		if w.headed() {
			return stall
		}
		l.mem.Widen(&w.down, 2*cap(w.down.B))
	}
	space := w.down.Free()
	switch {
	case w.headed():
		space = space[:min(len(space), w.out.Room()-wire.FrameRoom)]
	case w.down.Empty():
		// What comes behind the head must fit behind the head that goes out.
		space = space[:min(len(space), buffer.Size-headGrowth)]
	}
	n, errno := o.read(space)
	if errno == unix.EAGAIN {
		return stall
	}
	if n == 0 {
		return l.originEnded(c, errno != 0)
	}
	if o.reused && w.sent == nothing {
		return l.originEnded(c, true) // it answers nothing that was asked on it
	}
	w.down.Fill(n)
	if !w.headed() && !l.responseHead(c) {
		if c.phase == phaseRelay && w.origin == o {
			return again
		}
		return over
	}
	if w.headed() {
		return l.responseBody(c)
	}
	return again
}

// readStraight reads body bytes of known number to where they are written
// from. It asks for one byte too many: an answer that goes on is found out.
func (l *loop) readStraight(c *conn) step {
	w, o := c.work, c.work.origin
	left := w.respBody.Left()
	if left > buffer.Size && w.out.Empty() && c.writable {
		return l.readThrough(c)
	}
	space := w.out.Free()
	if int64(len(space)) > left+1 {
		space = space[:left+1]
	}
	n, errno := o.read(space)
	if errno == unix.EAGAIN {
		return stall
	}
	if n == 0 {
		return l.originEnded(c, errno != 0)
	}
	if int64(n) > left {
		n, w.excess = int(left), true
	}
	w.out.Fill(n)
	w.respBody.Skip(int64(n))
	w.x.BytesOut += int64(n)
	if w.respBody.Done() {
		l.responseDone(c)
	}
	return again
}

// responseHead parses the heads in w.down; false while the final one is not
// there, or where the attempt failed.
func (l *loop) responseHead(c *conn) bool {
	w := c.work
	for {
		n, err := h1.ParseResponse(w.down.Pending(), wire.ResponseLimits(&l.cfg.Limits), w.req.Method, &w.resp)
		if err == nil && n > 0 {
			if w.resp.Interim {
				w.interims++
			}
			err = wire.CheckResponse(&w.resp, w.interims, false)
		}
		if err != nil {
			w.x.Fault = wire.Fault(err)
			l.fail(c, upstream.Invalid)
			return false
		}
		if n == 0 {
			return false
		}
		if !w.resp.Interim {
			l.beginResponse(c, n)
			return true
		}
		l.interim(c)
		w.down.Take(n, 0)
		w.resp.Reset()
		if w.down.Empty() {
			return false
		}
	}
}

// bareContinue is what a client waits for that has asked whether to send its
// body.
const bareContinue = "HTTP/1.1 100 Continue\r\n\r\n"

// interim passes a 1xx answer on to a client that knows them. Those that the
// client's buffer has no room for are dropped, as they are only advice; but of a
// 100 only the fields are, and the buffer grows by its line at most once.
func (l *loop) interim(c *conn) {
	w := c.work
	if w.req.Minor == 0 {
		return
	}
	w.out.Compact(0)
	fits := w.out.Room() >= len(w.down.Pending())
	switch {
	case w.resp.Status == 100:
		if !w.req.Expect100 || w.continued {
			return
		}
		w.continued = true
		if !fits {
			w.out.B = append(w.out.B, bareContinue...)
			break
		}
		fallthrough
	case fits:
		w.out.B = wire.AppendInterim(w.out.B, &w.x, &w.resp)
	default:
		return
	}
	if !w.reqDone {
		l.await(c)
	}
}

// beginResponse writes the final head for the client.
func (l *loop) beginResponse(c *conn, n int) {
	w := c.work
	p := &w.resp
	w.x.Head(p.Status)
	w.got = part
	p.Body(&w.respBody, h1.Limits{})
	unsized := w.respBody.Kind == h1.BodyChunked || w.respBody.Kind == h1.BodyUntilClose
	switch {
	case !unsized:
	case w.req.Minor == 1:
		w.framing = inChunks
	default:
		w.framing = untilEnd
	}
	w.close = w.close || w.framing == untilEnd || l.ends(c) || !w.reqDone
	w.out.B, w.idle = wire.AppendResponseHead(w.out.B, &w.x, p, w.ending(), l.currentDate())
	w.down.Take(n, 0)
	l.await(c)
	if w.respBody.Done() {
		l.responseDone(c)
	}
}

// responseBody moves body bytes from w.down to the client's buffer.
func (l *loop) responseBody(c *conn) step {
	w := c.work
	for w.got != whole && !w.down.Empty() {
		data, n, done, err := w.respBody.Next(w.down.Pending())
		if err != nil {
			l.truncated(c)
			return over
		}
		w.out.B = wire.AppendBody(w.out.B, data, w.framing == inChunks)
		w.x.BytesOut += int64(len(data))
		w.down.Take(n, 0)
		if done {
			l.responseDone(c)
			return again
		}
		if n == 0 {
			return again
		}
	}
	return again
}

// responseDone ends the body for the client and gives the connection back.
func (l *loop) responseDone(c *conn) {
	w, o := c.work, c.work.origin
	w.got = whole
	if w.framing == inChunks {
		w.out.B = wire.AppendLastChunk(w.out.B, w.respBody.Trailer(), w.x.ResponseEdits())
	}
	clean := w.sent == whole && !w.resp.Close && !w.excess && w.down.Empty() && !w.x.Bound
	w.origin = nil
	if clean {
		l.keep(o, w.idle)
	} else {
		l.discard(o)
	}
	l.mem.Put(&w.down)
}

// originEnded takes in that the endpoint closed, which is over where that ends the
// attempt, and not the answer in order.
func (l *loop) originEnded(c *conn, reset bool) step {
	w := c.work
	if w.headed() {
		if reset || w.taking == cut || w.respBody.EOF() != nil {
			l.truncated(c)
			return over
		}
		l.responseDone(c)
		return stall
	}
	kept := w.origin.reused && w.down.Empty() && !w.continued
	if kept {
		w.origin.pool.to.Closed(l.now.Sub(w.origin.since))
	}
	switch {
	case w.untouched() && !(kept && w.x.Repeatable()):
		l.fail(c, upstream.Reset)
	case kept:
		l.fail(c, upstream.Stale)
	default:
		l.fail(c, upstream.Broken)
	}
	return over
}

// untouched tells whether nothing was sent to the endpoint, and nothing taken
// from the client that could not be sent to another.
func (w *work) untouched() bool {
	return w.sent == nothing && (w.x.Body != proxy.Streamed || w.x.BytesIn == 0 && !w.reqDone)
}

// truncated ends an answer that cannot be completed: the client gets what came
// so far, and its connection ends without the end of the answer.
func (l *loop) truncated(c *conn) {
	w := c.work
	l.pushResponse(c)
	if c.phase == phaseClosed {
		return
	}
	l.record(w, upstream.Truncated)
	l.abort(c)
}
