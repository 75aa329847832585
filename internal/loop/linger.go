//go:build linux

package loop

import (
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/proxy"
)

// How long a client is listened to that was told the last there is.
const (
	lingerPatience = 5 * time.Second // without a byte
	lingerTime     = 30 * time.Second
	lingerShort    = time.Second // where time or room is short
)

// How many an engine listens to: no more than this, nor than a part of the room
// that there is. Those above the limits take descriptors, too, that are not of
// the room.
const (
	lingerMost  = 1024
	lingerPart  = 8
	refusedMost = 256
	refusedPart = 64
)

// hangUp ends c after the last answer. A client that still sends is listened to
// for a while: closing on unread bytes would reset the connection, and destroy
// the answer before it is read. Most clients read it only once they have sent
// all of their request.
func (l *loop) hangUp(c *conn) {
	if c.tls != nil {
		c.tls.farewell()
	}
	l.endSending(c)
}

// endSending ends rgate's side of c, and listens on.
func (l *loop) endSending(c *conn) {
	if c.broken || !c.counted && l.refused > l.share(refusedMost, refusedPart) {
		l.close(c)
		return
	}
	if c.tls != nil && len(c.tls.rest) > 0 {
		c.tls.ends = true
	} else if !c.hup {
		_ = unix.Shutdown(int(c.fd), unix.SHUT_WR)
	}
	l.putWork(c)
	c.phase, c.since = phaseLinger, l.wheel.now
	l.lingering++
	l.wheel.set(&c.timer, l.now, l.attention(c))
	if l.lingering > max(l.share(lingerMost, lingerPart), compared) {
		l.endLongest(c)
	}
}

// attention is how long c may say nothing.
func (l *loop) attention(c *conn) time.Duration {
	if l.ends(c) || !c.counted {
		return lingerShort
	}
	left := time.Duration(c.since-l.wheel.now)*tick + lingerTime
	return max(min(lingerPatience, left), tick)
}

// share is l's of most, or of a part of the room.
func (l *loop) share(most, part int) int {
	if room := proxy.Room(l.cfg.Limits.Connections); room > 0 {
		most = min(most, room/part)
	}
	return most / len(l.engine.loops)
}

// endLongest closes the one, of some, that was listened to for longest; not
// besides, which has only begun.
func (l *loop) endLongest(besides *conn) {
	var longest *conn
	found := 0
	for c := range l.some() {
		if c.phase != phaseLinger || c == besides {
			continue
		}
		if longest == nil || c.since < longest.since {
			longest = c
		}
		if found++; found == compared {
			break
		}
	}
	if longest != nil {
		l.close(longest)
	}
}

// linger throws away what c still sends.
func (l *loop) linger(c *conn) step {
	if c.tls != nil && c.tls.ends && len(c.tls.rest) == 0 {
		c.tls.ends = false
		_ = unix.Shutdown(int(c.fd), unix.SHUT_WR)
	}
	if !c.readable {
		return stall
	}
	n, errno := c.sock.read(l.mem.scratch[:]) // whatever it means in TLS
	switch {
	case errno == unix.EAGAIN:
		return stall
	case n == 0 && errno == 0 && c.tls != nil && c.tls.ends && !c.broken:
		c.readable = false
		return stall // it may read on
	case n == 0, l.wheel.now-c.since >= ticks(lingerTime):
		l.close(c)
		return over
	}
	l.wheel.set(&c.timer, l.now, l.attention(c))
	return again
}
