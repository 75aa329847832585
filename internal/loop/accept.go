//go:build linux

package loop

import (
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/wire"
)

// complaintEvery is how often it is logged, at most, that nothing can be
// accepted.
const complaintEvery = time.Minute

// rest stops accepting for a moment, because there is nothing to do so with:
// the listening socket would be reported ready without end.
func (l *loop) rest(err error) {
	for _, d := range l.doors {
		l.remove(d.fd)
	}
	l.restUntil = l.now.Add(tick)
	if l.now.Sub(l.complained) >= complaintEvery {
		l.complained = l.now
		l.engine.log.Error("connections cannot be accepted, and wait; raise the limit of open files (LimitNOFILE=, ulimit -n) or lower limits.connections", "error", err)
	}
}

// endRest ends a rest that was long enough.
func (l *loop) endRest() {
	if l.restUntil.IsZero() || l.now.Before(l.restUntil) {
		return
	}
	l.restUntil = time.Time{}
	for _, d := range l.doors {
		if err := l.listen(d); err != nil {
			l.rest(err)
			return
		}
	}
}

// backlog is more than a listening socket's queue holds.
const backlog = 8 << 10

// stopListening takes what waits to be accepted, since closing the last
// descriptor of a socket resets that, and closes this loop's.
func (l *loop) stopListening(d *door) {
	for range backlog {
		if err := l.acceptOne(d); err != nil && err != unix.ECONNABORTED {
			break
		}
	}
	l.remove(d.fd)
	l.doors = slices.DeleteFunc(slices.Clone(l.doors), func(other *door) bool { return other == d })
	d.close()
}

// accept takes a few connections only, so that the other loops get theirs.
func (l *loop) accept(d *door) {
	for range 4 {
		switch err := l.acceptOne(d); err {
		case nil:
		case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			l.rest(err)
			return
		default:
			return
		}
	}
}

func (l *loop) acceptOne(d *door) error {
	const flags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	fd, sa, err := unix.Accept4(d.fd, flags)
	for scarce(err) && l.dropIdle() {
		fd, sa, err = unix.Accept4(d.fd, flags)
	}
	if err != nil {
		d.early = d.early && err != unix.EAGAIN
		return err
	}
	if d.early {
		tune(fd)
	}
	addr := peerOf(sa)
	first, holder := phaseHead, addr
	if d.listener.Config().ProxyProtocol.Of(addr) {
		first, holder = phaseProxy, nobody
	}
	l.open(fd, addr, d.listener, l.admit(holder), first)
	return nil
}

// open takes a connection in. One above the limits is told so and closed.
func (l *loop) open(fd int, addr netip.Addr, by *listen.Listener, admitted bool, begin phase) {
	by.Hold()
	c := &conn{sock: sock{fd: int32(fd)}, addr: addr, by: by, counted: admitted, since: l.wheel.now, phase: begin}
	c.timer.client = c
	l.conns++
	if !admitted {
		l.refused++
	}
	if err := l.watch(fd, c, nil); err != nil {
		l.close(c)
		return
	}
	l.wheel.set(&c.timer, l.now, l.patience(c))
	if !admitted {
		l.turnAway(c)
	} else if begin == phaseHead {
		l.meet(c)
	}
}

// meet has c, of which nothing was read, begin with what its listener speaks.
func (l *loop) meet(c *conn) {
	if how := c.by.TLS(); how != nil {
		l.expect(c, how)
	} else if !c.by.Config().Protocols.Has(config.H1) {
		l.handOver(c)
	}
}

// turnAway tells a client that there is no room for it. With TLS it is closed: a word
// in the clear would not be understood.
func (l *loop) turnAway(c *conn) {
	c.phase = phaseHead
	if c.by.TLS() != nil {
		l.close(c)
		return
	}
	c.work = l.getWork()
	l.mem.Need(&c.work.in)
	l.refuse(c, wire.AnswerCrowd)
}

// patience is how long c may be without a request.
func (l *loop) patience(c *conn) time.Duration {
	switch {
	case l.engine.stopping.Load():
		return max(l.engine.linger, tick)
	case c.by.Draining():
		return max(c.by.Linger(), tick)
	case c.served > 0:
		return l.cfg.Timeouts.Idle
	}
	return l.cfg.Timeouts.ClientHeader
}
