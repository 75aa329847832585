//go:build linux

package loop

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

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
	l.part(c)
	l.give(int(c.fd), h)
}

// part takes c out of the loop. Its descriptor lives on.
func (l *loop) part(c *conn) {
	c.phase = phaseClosed
	l.putWork(c)
	c.timer.unlink()
	l.unwatch(int(c.fd))
	l.remove(int(c.fd))
	l.conns--
}

// pass gives a connection that speaks TLS to the engine that may wait, unread.
// One above the limits is closed: a word in the clear would not be understood.
func (l *loop) pass(fd int, addr netip.Addr, by *listen.Listener, admitted bool) {
	if l.engine.handOver == nil || !admitted {
		_ = unix.Close(fd)
		if admitted {
			l.engine.crowd.Leave(addr)
		}
		return
	}
	by.Hold()
	l.give(fd, &handed{engine: l.engine, addr: addr, by: by})
}

// give hands a descriptor over as h, which says what is known of it.
func (l *loop) give(fd int, h *handed) {
	f := os.NewFile(uintptr(fd), "client")
	nc, err := net.FileConn(f)
	_ = f.Close()
	if err != nil {
		l.engine.crowd.Leave(h.addr)
		h.by.Release()
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
