//go:build linux

package loop

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"rgate/internal/listen"
)

// door is a loop's part in a listener.
type door struct {
	listener *listen.Listener
	fd       int  // the loop's own descriptor of the socket
	early    bool // what is accepted may have been there before fd was tuned
}

// newDoor makes a door, which is closed in the end.
func newDoor(l *listen.Listener) (*door, error) {
	sc, ok := l.Listener.(syscall.Conn)
	if !ok {
		return nil, errors.New("cannot serve: not a socket")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("cannot serve: %w", err)
	}
	fd, dupErr := -1, error(nil)
	err = raw.Control(func(own uintptr) { fd, dupErr = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) })
	if err = errors.Join(err, dupErr); err != nil {
		return nil, fmt.Errorf("cannot listen in a loop: %w", err)
	}
	l.Attend()
	return &door{listener: l, fd: fd}, nil
}

func (d *door) close() {
	_ = unix.Close(d.fd)
	d.listener.Leave()
}

// openDoor has the loop accept by d, or close it where it has ended.
func (l *loop) openDoor(d *door) {
	l.mu.Lock()
	ended := l.ended
	if !ended {
		l.opened = append(l.opened, d)
	}
	l.mu.Unlock()
	if ended {
		d.close()
		return
	}
	l.post(l.enter)
}

// enter begins to accept by the doors that were opened.
func (l *loop) enter() {
	l.mu.Lock()
	opened := l.opened
	l.opened = nil
	l.mu.Unlock()
	for _, d := range opened {
		l.doors = append(l.doors, d)
		if err := l.listen(d); err != nil {
			l.rest(err)
		}
	}
}

// listen takes part in accepting from a listening socket.
func (l *loop) listen(d *door) error {
	tune(d.fd)
	d.early = true
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLEXCLUSIVE, Fd: int32(d.fd), Pad: tagListen}
	if err := unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, d.fd, &ev); err != unix.EEXIST {
		return err
	}
	return nil // it was opened during a rest
}

// door is the one of a descriptor; nil where that was closed in this turn.
func (l *loop) door(fd int32) *door {
	for _, d := range l.doors {
		if d.fd == int(fd) {
			return d
		}
	}
	return nil
}

// drainBy is the loop's part in Drain.
func (l *loop) drainBy(by *listen.Listener) {
	for _, d := range l.doors {
		if d.listener == by {
			l.stopListening(d)
		}
	}
	for _, s := range l.socks {
		if s.client != nil && s.client.by == by {
			l.hurry(s.client)
		}
	}
}
