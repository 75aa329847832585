//go:build linux

package socket

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Poller waits on many descriptors, edge-triggered: an event says that
// something changed, and the reader goes on until it would block.
type Poller struct {
	fd     int
	events [256]unix.EpollEvent
}

// NewPoller opens an epoll descriptor.
func NewPoller() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot open epoll: %w", err)
	}
	return &Poller{fd: fd}, nil
}

// Close releases the epoll descriptor.
func (p *Poller) Close() { unix.Close(p.fd) }

// Add watches fd in both directions, once and for all; closing fd ends it.
func (p *Poller) Add(fd int) error {
	return p.add(fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET)
}

// AddReader watches fd for something to read, as long as it is unread.
func (p *Poller) AddReader(fd int) error { return p.add(fd, unix.EPOLLIN) }

func (p *Poller) add(fd int, events uint32) error {
	event := unix.EpollEvent{Events: events, Fd: int32(fd)}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("cannot watch a socket: %w", err)
	}
	return nil
}

// Wait returns what happened, none after the timeout. The result is good until
// the next call.
func (p *Poller) Wait(timeout time.Duration) ([]unix.EpollEvent, error) {
	n, err := unix.EpollWait(p.fd, p.events[:], int(timeout.Milliseconds()))
	if errors.Is(err, unix.EINTR) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot wait for sockets: %w", err)
	}
	return p.events[:n], nil
}

// Ended tells whether an event says that the other side sends no more.
func Ended(e unix.EpollEvent) bool {
	return e.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0
}
