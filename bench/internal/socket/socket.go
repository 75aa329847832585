//go:build linux

// Package socket is the thin layer between the bench's two loops and the
// kernel: non-blocking TCP sockets, and edge-triggered epoll over them.
package socket

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Dial connects to an IPv4 address and makes the socket non-blocking.
func Dial(address netip.AddrPort) (fd int, err error) {
	fd, err = open()
	if err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, sockaddr(address)); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("cannot connect to %s: %w", address, err)
	}
	return fd, prepare(fd)
}

// Listen accepts connections on an IPv4 address; port 0 is any free one.
func Listen(address netip.AddrPort) (fd int, at netip.AddrPort, err error) {
	fd, err = open()
	if err != nil {
		return -1, at, err
	}
	fail := func(err error) (int, netip.AddrPort, error) {
		unix.Close(fd)
		return -1, at, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return fail(err)
	}
	if err := unix.Bind(fd, sockaddr(address)); err != nil {
		return fail(err)
	}
	if err := unix.Listen(fd, 4096); err != nil {
		return fail(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return fail(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return fail(err)
	}
	port := bound.(*unix.SockaddrInet4).Port // open makes nothing else
	return fd, netip.AddrPortFrom(address.Addr(), uint16(port)), nil
}

// Accept takes one waiting connection; unix.EAGAIN where there is none.
func Accept(listener int) (fd int, err error) {
	fd, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	if err != nil {
		return -1, err
	}
	return fd, prepare(fd)
}

// Reset closes a connection at once, leaving no TIME_WAIT behind: a run opens
// more connections than there are ports to wait in.
func Reset(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(fd)
}

func open() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("cannot open a socket: %w", err)
	}
	return fd, nil
}

func prepare(fd int) error {
	err := unix.SetNonblock(fd, true)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("cannot prepare a socket: %w", err)
	}
	return nil
}

func sockaddr(a netip.AddrPort) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}
