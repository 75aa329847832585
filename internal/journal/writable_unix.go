//go:build unix

package journal

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// writable waits, for d at most, until a pipe, terminal or socket takes a piece
// without making the writer wait, or refuses it. What can never make anyone
// wait is always writable.
func writable(f *os.File, d time.Duration) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return true // the write will say what is wrong
	}
	ready := true
	_ = conn.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(d.Milliseconds()))
		ready = n > 0 || err != nil && err != unix.EINTR
	})
	return ready
}
