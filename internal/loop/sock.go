//go:build linux

package loop

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sock is a non-blocking descriptor with what edge-triggered epoll said of it.
type sock struct {
	fd       int32
	readable bool // a read may bring something
	writable bool
	hup      bool // the peer has finished sending
	broken   bool // the connection is dead both ways
}

// note takes in an event.
func (s *sock) note(events uint32) {
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		s.readable = true
	}
	if events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		s.writable = true
	}
	if events&unix.EPOLLRDHUP != 0 {
		s.hup = true
	}
	if events&(unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		s.broken = true
	}
}

// read reads without waiting. n is 0 with errno 0 at the end of the stream. A
// read that did not fill b has emptied the socket, so the next waits for an
// event; except after the peer's end, which must still be read.
//
// The raw system call skips the scheduler, which has nothing to do here: the
// call cannot block.
func (s *sock) read(b []byte) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			s.readable = errno != unix.EAGAIN
			return 0, errno
		}
		if int(n) < len(b) && !s.hup {
			s.readable = false
		}
		return int(n), 0
	}
}

// write writes without waiting, as much as fits.
func (s *sock) write(b []byte) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			s.writable = errno != unix.EAGAIN
			return 0, errno
		}
		if int(n) < len(b) {
			s.writable = false
		}
		return int(n), 0
	}
}

// alive looks whether an idle connection is still good: nothing to read, and
// no end.
func (s *sock) alive() bool {
	var b [1]byte
	_, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&b)), 1, unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	return errno == unix.EAGAIN
}

// peek is read, and leaves there what it brings.
func (s *sock) peek(b []byte) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			s.readable = errno != unix.EAGAIN
			return 0, errno
		}
		return int(n), 0
	}
}

// poll collects events that are there already.
func poll(epfd int, events []unix.EpollEvent) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// connect begins a connection; it is made, or has failed, once the descriptor
// is writable.
func connect(to netip.AddrPort) (int, error) {
	family, addr := unix.AF_INET, unix.Sockaddr(nil)
	if ip := to.Addr().Unmap(); ip.Is4() {
		addr = &unix.SockaddrInet4{Port: int(to.Port()), Addr: ip.As4()}
	} else {
		family, addr = unix.AF_INET6, &unix.SockaddrInet6{Port: int(to.Port()), Addr: ip.As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	tune(fd)
	// One that a signal interrupts goes on all the same.
	if err := unix.Connect(fd, addr); err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// When a peer counts as lost that says nothing: a minute after it was last heard
// of, which is a quiet stream's only way to notice.
const (
	aliveAfter = 30 // seconds
	aliveEvery = 10
	aliveTries = 3
)

// tune has a TCP socket send at once, and look whether its peer still lives.
// What is accepted from a listening socket inherits all of that, so that it
// costs a client's connection nothing.
func tune(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, aliveAfter)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, aliveEvery)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, aliveTries)
}

func peerOf(sa unix.Sockaddr) netip.Addr {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr).Unmap()
	}
	return netip.Addr{}
}
