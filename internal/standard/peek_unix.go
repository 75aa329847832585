//go:build unix

package standard

import (
	"net"
	"syscall"
)

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
