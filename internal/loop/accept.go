//go:build linux

package loop

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/wire"
)

// listen takes part in accepting from the listening socket.
func (l *loop) listen(fd int) error {
	l.lfd = fd
	tune(fd)
	l.early = true
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLEXCLUSIVE, Fd: int32(fd), Pad: tagListen}
	return unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, fd, &ev)
}

// complaintEvery is how often it is logged, at most, that nothing can be
// accepted.
const complaintEvery = time.Minute

// rest stops accepting for a moment, because there is nothing to do so with:
// the listening socket would be reported ready without end.
func (l *loop) rest(err error) {
	l.remove(l.lfd)
	l.restUntil = l.now.Add(tick)
	if l.now.Sub(l.complained) >= complaintEvery {
		l.complained = l.now
		l.engine.log.Error("connections cannot be accepted, and wait; raise the limit of open files (LimitNOFILE=, ulimit -n) or lower limits.connections", "error", err)
	}
}

// resume ends a rest that was long enough.
func (l *loop) resume() {
	if l.restUntil.IsZero() || l.now.Before(l.restUntil) {
		return
	}
	l.restUntil = time.Time{}
	if l.lfd < 0 {
		return
	}
	if err := l.listen(l.lfd); err != nil {
		l.rest(err)
	}
}

// backlog is more than a listening socket's queue holds.
const backlog = 8 << 10

// stopListening takes what waits to be accepted, since closing the last
// descriptor of a socket resets that, and closes this loop's.
func (l *loop) stopListening() {
	if l.lfd < 0 {
		return
	}
	for range backlog {
		if err := l.acceptOne(); err != nil && err != unix.ECONNABORTED {
			break
		}
	}
	l.remove(l.lfd)
	_ = unix.Close(l.lfd)
	l.lfd = -1
}

// accept takes a few connections only, so that the other loops get theirs.
func (l *loop) accept() {
	for range 4 {
		if l.lfd < 0 {
			return
		}
		switch err := l.acceptOne(); err {
		case nil:
		case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			l.rest(err)
			return
		default:
			return
		}
	}
}

func (l *loop) acceptOne() error {
	fd, sa, err := unix.Accept4(l.lfd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err != nil {
		l.early = l.early && err != unix.EAGAIN
		return err
	}
	if l.early {
		tune(fd)
	}
	addr := peerOf(sa)
	l.open(fd, addr, l.admit(addr))
	return nil
}

// open takes a connection in. One above the limits is told so and closed.
func (l *loop) open(fd int, addr netip.Addr, admitted bool) {
	c := &conn{sock: sock{fd: fd}, addr: addr, counted: admitted, since: l.wheel.now}
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
		c.work = l.getWork()
		l.need(&c.work.in)
		l.refuse(c, wire.AnswerCrowd)
	}
}

// patience is how long c may be without a request.
func (l *loop) patience(c *conn) time.Duration {
	switch {
	case l.engine.stopping.Load():
		return max(l.engine.linger, tick)
	case c.served > 0:
		return l.cfg.Timeouts.Idle
	}
	return l.cfg.Timeouts.ClientHeader
}
