//go:build linux

package loop

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"rgate/internal/listen"
	"rgate/internal/wire"
)

// handOver gives c to the engine that may wait, with the bytes read so far.
func (l *loop) handOver(c *conn) {
	w := c.work
	if l.engine.handOver == nil {
		w.close = true
		l.refuse(c, wire.AnswerUnable)
		l.flushAnswer(c)
		return
	}
	h := &handed{prefix: append([]byte(nil), w.in.B...), engine: l.engine, addr: c.addr, by: c.by}
	f := os.NewFile(uintptr(c.fd), "client")
	nc, err := net.FileConn(f)
	c.phase = phaseClosed
	l.putWork(c)
	c.timer.unlink()
	l.unwatch(int(c.fd))
	l.remove(int(c.fd))
	_ = f.Close()
	l.conns--
	if err != nil {
		l.engine.crowd.Leave(c.addr)
		c.by.Release()
		return
	}
	h.Conn = nc
	l.engine.beside.Go(func() { l.engine.handOver(h) })
}

// handed is a connection that was handed over: what was read from it comes
// first.
type handed struct {
	net.Conn
	prefix []byte
	engine *Engine
	addr   netip.Addr
	by     *listen.Listener
	once   sync.Once
}

// RemoteAddr implements net.Conn. The kernel forgets the address of a peer that
// has gone, and the loop knows it from the accept.
func (h *handed) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(h.addr, 0))
}

// Read implements net.Conn.
func (h *handed) Read(b []byte) (int, error) {
	if len(h.prefix) > 0 && len(b) > 0 {
		n := copy(b, h.prefix)
		h.prefix = h.prefix[n:]
		return n, nil
	}
	return h.Conn.Read(b)
}

// Ahead says that a request's head was read already, and comes first.
func (h *handed) Ahead() bool { return len(h.prefix) > 0 }

// By is the listener that the connection came by.
func (h *handed) By() *listen.Listener { return h.by }

// Close implements net.Conn.
func (h *handed) Close() error {
	h.once.Do(func() {
		h.engine.crowd.Leave(h.addr)
		h.by.Release()
	})
	return h.Conn.Close()
}

// SyscallConn implements syscall.Conn: what was read already is not seen by it.
func (h *handed) SyscallConn() (syscall.RawConn, error) { return h.Conn.(syscall.Conn).SyscallConn() }

// SetLinger says what becomes of unsent bytes, as a TCP connection's does.
func (h *handed) SetLinger(seconds int) error { return h.Conn.(*net.TCPConn).SetLinger(seconds) }

// CloseWrite ends the sending side, as a TCP connection does.
func (h *handed) CloseWrite() error {
	if t, ok := h.Conn.(*net.TCPConn); ok {
		return t.CloseWrite()
	}
	return nil
}
