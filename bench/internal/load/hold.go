//go:build linux

package load

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"rgate/bench/internal/socket"
)

// answerTimeout bounds the wait for one answer on a connection to be held.
const answerTimeout = 10 * time.Second

// Held is a number of idle connections, each with one request behind it.
type Held struct{ fds []int }

// Hold opens n connections one after the other and gets one answer on each.
func Hold(address netip.AddrPort, n int, request Request) (*Held, error) {
	h := &Held{}
	bytes := request.Bytes(request.Paths[0])
	buf := make([]byte, 256<<10)
	for i := range n {
		c, err := dial(address, bytes)
		if err == nil {
			h.fds = append(h.fds, c.fd)
			err = c.ask(buf, request.Answer)
		}
		if err != nil {
			h.Release()
			return nil, fmt.Errorf("connection %d of %d: %w", i+1, n, err)
		}
	}
	return h, nil
}

// Closed counts the connections that the other side gave up.
func (h *Held) Closed() int {
	closed := 0
	var b [1]byte
	for _, fd := range h.fds {
		if _, err := unix.Read(fd, b[:]); !errors.Is(err, unix.EAGAIN) {
			closed++
		}
	}
	return closed
}

// Release closes all connections.
func (h *Held) Release() {
	for _, fd := range h.fds {
		socket.Reset(fd)
	}
	h.fds = nil
}

// ask sends the request and waits for its answer.
func (c *connection) ask(buf []byte, want int) error {
	deadline := time.Now().Add(answerTimeout)
	if err := c.send(time.Now()); err != nil {
		return err
	}
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return errors.New("no answer in time")
		}
		wait := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(wait, int(left.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("cannot wait for an answer: %w", err)
		}
		if done, err := c.receive(buf, want, true); done || err != nil {
			return err
		}
	}
}
