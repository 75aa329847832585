//go:build unix

package standard

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// canLook tells whether ended knows.
const canLook = true

// ended tells whether the peer of an idle connection has closed it, or has
// sent what nobody asked for.
func ended(c net.Conn) bool {
	raw, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	// Control and not Read: a reader waits on the connection all the time.
	err = control.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		gone = err != syscall.EAGAIN && err != syscall.EINTR
	})
	return gone || err != nil
}

// waiting tells whether a read from a connection, or an accept from a listener,
// would find something at once.
func waiting(c any) bool {
	raw, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return false
	}
	found := false
	err = control.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		found = err == nil && n > 0
	})
	return found && err == nil
}
