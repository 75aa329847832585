//go:build unix

package link

import (
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// sight reads and writes without waiting.
type sight struct{ raw syscall.RawConn }

func sightOf(conn net.Conn) sight {
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			return sight{raw}
		}
	}
	return sight{}
}

// read reads what is there.
func (s sight) read(b []byte) (n int, err error) {
	n, err = s.try(func(fd int) (int, error) { return unix.Read(fd, b) })
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// write writes all, or fails.
func (s sight) write(b []byte) (n int, err error) {
	n, err = s.try(func(fd int) (int, error) { return unix.Write(fd, b) })
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

// try does not wait for deadlines either, as Control looks at none.
func (s sight) try(do func(fd int) (int, error)) (n int, err error) {
	if s.raw == nil {
		return 0, errNothing
	}
	closed := s.raw.Control(func(fd uintptr) {
		for {
			if n, err = do(int(fd)); err != unix.EINTR {
				return
			}
		}
	})
	switch {
	case closed != nil:
		return 0, closed
	case err == unix.EAGAIN:
		return 0, errNothing
	}
	return max(n, 0), err
}
