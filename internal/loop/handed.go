package loop

import (
	"net"
	"sync"
)

// Handed is a listener of the connections that a loop hands over: the standard
// engine serves it, and Options.HandOver is its Give.
type Handed struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// NewHanded makes a listener that says it listens on addr.
func NewHanded(addr net.Addr) *Handed {
	return &Handed{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

// Give passes a connection on, and closes it where nobody accepts any more.
func (h *Handed) Give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.done:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (h *Handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *Handed) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// Addr implements net.Listener.
func (h *Handed) Addr() net.Addr { return h.addr }
