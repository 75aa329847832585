//go:build unix

package standard

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// canLook tells whether sight knows.
const canLook = true

// sight looks at a connection, or a listener, without touching it. The zero
// sight sees nothing.
type sight struct {
	raw syscall.RawConn
	own looker // tells by itself; nil for a socket
}

func sightOf(c any) sight {
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			return sight{raw: raw}
		}
	}
	return sight{}
}

// peek reads a byte and leaves it there. Control and not Read: another goroutine
// may wait in a read.
func (s sight) peek() (n int, err error) {
	if s.raw == nil {
		return 0, syscall.EAGAIN
	}
	closed := s.raw.Control(func(fd uintptr) {
		var one [1]byte
		for {
			n, _, err = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			if err != syscall.EINTR {
				return
			}
		}
	})
	if closed != nil {
		return 0, closed
	}
	return n, err
}

// look tells whether a connection is silent, with neither a byte to be read nor
// an end, or whether its peer has ended its sending side, or all of it, and what
// it sent before has been read.
func (s sight) look() (silent, ended bool) {
	if s.own != nil {
		return s.own.Look()
	}
	n, err := s.peek()
	silent = err == syscall.EAGAIN
	return silent, !silent && n <= 0
}

// broken tells whether a connection is dead both ways, though its end was read.
func (s sight) broken() bool {
	if s.own != nil {
		_, ended := s.own.Look()
		return ended
	}
	return s.poll(0)&(unix.POLLERR|unix.POLLHUP) != 0
}

// waiting tells whether a read from a connection, or an accept from a listener,
// would find something at once.
func (s sight) waiting() bool {
	if s.own != nil {
		silent, _ := s.own.Look()
		return !silent
	}
	return s.poll(unix.POLLIN) != 0
}

func (s sight) poll(events int16) (found int16) {
	if s.raw == nil {
		return 0
	}
	_ = s.raw.Control(func(fd uintptr) { // fails on a closed connection, which is none of these
		fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
		if n, err := unix.Poll(fds, 0); err == nil && n > 0 {
			found = fds[0].Revents
		}
	})
	return found
}
