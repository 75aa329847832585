//go:build linux

package loop

import (
	"rgate/internal/proxy"
	"rgate/internal/upstream"
	"rgate/internal/wire"
)

// refuse answers a request that could not be read, and closes after it: nobody
// knows where the next one would begin.
func (l *loop) refuse(c *conn, a *proxy.Answer) {
	w := c.work
	if !w.begun {
		w.x.Peer, w.x.Start, w.x.Method = c.addr, l.now, w.req.Method
		w.begun = true
		l.engine.gate.Refuse(&w.x, a)
	} else {
		w.x.Deny(a)
		l.record(w, upstream.Canceled) // whatever endpoint it went to is not to blame
	}
	w.close, w.reqDone = true, false
	l.answer(c)
}

// answer begins to send x.Answer. What the client's request still holds is
// skipped where it is here already; otherwise the connection closes.
func (l *loop) answer(c *conn) {
	w := c.work
	if w.origin != nil {
		l.discard(w.origin)
		w.origin = nil
	}
	for !w.reqDone && !w.close {
		_, n, done, err := w.reqBody.Next(w.in.Pending())
		w.in.Take(n, w.keep)
		if done && err == nil {
			w.reqDone = true
		} else if n == 0 || err != nil {
			w.close = true
		}
	}
	w.close = w.close || l.ends(c)
	l.mem.Need(&w.out)
	w.out.B = wire.AppendAnswer(w.out.B, &w.x, w.ending(), l.currentDate())
	c.phase = phaseFlush
	l.wheel.set(&c.timer, l.now, l.cfg.Timeouts.Idle)
}

// ending is how the answer ends.
func (w *work) ending() wire.Ending {
	return wire.Ending{Chunked: w.framing == inChunks, Close: w.close, KeepAlive: w.req.KeepAlive}
}

// flushAnswer sends an answer of rgate's own.
func (l *loop) flushAnswer(c *conn) step {
	w := c.work
	if !l.pushResponse(c) {
		return over
	}
	if !w.out.Empty() {
		return stall
	}
	// The last attempt was settled when it failed: there is none to end.
	l.record(w, upstream.None)
	l.finish(c)
	return again
}
