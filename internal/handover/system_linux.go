package handover

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// inherited is a descriptor that this process was started with.
func inherited(fd int, name string) *os.File {
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), name)
}

// inheritedLine is an inherited descriptor that reads can be given up on.
func inheritedLine(fd int) *os.File {
	_ = unix.SetNonblock(fd, true) // fails where there is no such descriptor, as all that follows
	return inherited(fd, "predecessor")
}

// pair is two ends of a line on which both can speak. What goes to a process
// comes back from its end.
func pair() (ours, theirs *os.File, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a line: %w", err)
	}
	return os.NewFile(uintptr(ends[0]), "successor"), os.NewFile(uintptr(ends[1]), "predecessor"), nil
}

// becomeStderr makes f what descriptor 2 stands for.
func becomeStderr(f *os.File) error { return unix.Dup3(int(f.Fd()), 2, 0) }

// duplicate is another descriptor of l's socket. Listeners have a method File,
// but handing its result on makes the socket blocking, for this process too.
func duplicate(l net.Listener) (*os.File, error) {
	conn, ok := l.(syscall.Conn)
	if !ok {
		return nil, syscall.ENOTSOCK
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd, dupErr := -1, error(nil)
	if err := raw.Control(func(own uintptr) { fd, dupErr = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return nil, err
	}
	if dupErr != nil {
		return nil, dupErr
	}
	return os.NewFile(uintptr(fd), l.Addr().String()), nil
}

// monotonic is the time that systemd compares with.
func monotonic() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail
	return time.Duration(now.Nano())
}
