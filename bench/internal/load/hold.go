//go:build linux

package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"rgate/bench/internal/socket"
)

// answerTimeout bounds the wait for one answer on a connection to be held.
const answerTimeout = 10 * time.Second

// Held is a number of idle connections, each with one request behind it.
type Held struct{ conns []*connection }

// Hold opens the connections one after the other and gets one answer on each.
func Hold(o Options) (*Held, error) {
	h := &Held{}
	var config *tls.Config
	if o.Secure != nil {
		config = o.Secure.config(nil)
	}
	bytes := o.Request.Bytes(o.Request.Paths[0])
	buf := make([]byte, 256<<10)
	for i := range o.Connections {
		c, err := dial(&o, config, bytes)
		if err == nil {
			h.conns = append(h.conns, c)
			err = c.ask(buf, o.Request.Answer)
		}
		if err != nil {
			h.Release()
			return nil, fmt.Errorf("connection %d of %d: %w", i+1, o.Connections, err)
		}
	}
	return h, nil
}

// Closed counts the connections that the other side gave up.
func (h *Held) Closed() int {
	closed := 0
	var b [1]byte
	for _, c := range h.conns {
		if c.wire != nil {
			c.wire.dry = false
		}
		if _, err := c.read(b[:]); !errors.Is(err, unix.EAGAIN) {
			closed++
		}
	}
	return closed
}

// Release closes all connections.
func (h *Held) Release() {
	for _, c := range h.conns {
		socket.Reset(c.fd)
	}
	h.conns = nil
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
