//go:build linux

package loop

import (
	"golang.org/x/sys/unix"

	"rgate/internal/listen"
	"rgate/internal/upstream"
)

// close closes c at once, with whatever it was doing.
func (l *loop) close(c *conn) {
	if c.phase == phaseClosed {
		return
	}
	if c.phase == phaseLinger {
		l.lingering--
	}
	holder := c.holder()
	c.phase = phaseClosed
	if c.tls != nil && c.tls.hello != nil {
		l.dismiss(c)
	}
	if w := c.work; w != nil {
		l.abandon(c)
		l.record(w, upstream.Canceled)
		if w.origin != nil {
			l.discard(w.origin)
		}
		l.putWork(c)
	}
	l.drop(c)
	if c.counted {
		l.engine.crowd.Leave(holder)
	} else {
		l.refused--
	}
	c.by.Release()
}

// drop ends the loop's part in c's descriptor.
func (l *loop) drop(c *conn) {
	c.timer.unlink()
	l.unwatch(int(c.fd))
	_ = unix.Close(int(c.fd))
	l.conns--
}

// abort ends c so that its client sees that the answer is not complete, also
// where only the connection's end would have told: then it must be a reset.
// Either way what was answered before still arrives, so c is not closed on
// bytes that it sent, and not reset on bytes that it has not got.
func (l *loop) abort(c *conn) {
	if c.work.framing != untilEnd {
		l.endSending(c) // without TLS's own end: that is for what is complete
		return
	}
	c.since = l.wheel.now
	l.breakOff(c)
}

// breakOff resets c once its client's side has all that was sent, or no time is
// left for that.
func (l *loop) breakOff(c *conn) {
	unsent, err := unix.IoctlGetInt(int(c.fd), unix.SIOCOUTQ)
	if c.tls != nil {
		c.tls.flush()
		unsent += len(c.tls.rest)
	}
	if c.broken || err != nil || unsent == 0 || l.wheel.now-c.since >= ticks(lingerShort) {
		l.reset(c)
		return
	}
	l.putWork(c)
	c.phase = phaseBreak
	l.wheel.set(&c.timer, l.now, tick)
}

// leave closes a client that was quiet for long enough. One that speaks up at
// this very moment is heard: its bytes are here, though no event told so yet.
func (l *loop) leave(c *conn) {
	if c.alive() {
		l.depart(c)
		return
	}
	c.readable = true
	l.wheel.set(&c.timer, l.now, l.cfg.Timeouts.ClientHeader)
	l.drive(c)
	if c.tls != nil && c.phase == phaseHead && c.work == nil && !c.queued {
		l.depart(c) // it was no request that was there
	}
}

// depart closes c, which is told so where it has TLS.
func (l *loop) depart(c *conn) {
	if c.tls != nil {
		c.tls.farewell()
	}
	l.close(c)
}

// closeAll closes the clients that came by one listener; nil is any.
func (l *loop) closeAll(by *listen.Listener) {
	for _, s := range l.socks {
		if s.client != nil && (by == nil || s.client.by == by) {
			l.close(s.client)
		}
	}
}
