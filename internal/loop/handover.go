//go:build linux

package loop

import (
	"crypto/tls"
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
	if l.engine.handOver == nil {
		l.unable(c)
		return
	}
	h := &handed{engine: l.engine, addr: c.addr, by: c.by, tls: c.tls}
	if c.work != nil {
		h.prefix = append([]byte(nil), c.work.in.B...)
	}
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

// unable ends c, which would have to be handed over to nobody.
func (l *loop) unable(c *conn) {
	w := c.work
	if w == nil {
		l.depart(c) // it speaks something else
		return
	}
	w.close = true
	l.refuse(c, wire.AnswerUnable)
	l.flushAnswer(c)
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
// first. With TLS it is the socket, on which the other engine is to put that.
type handed struct {
	net.Conn
	tls    *secure // nil for one in the clear
	prefix []byte  // of what is said in TLS, if there is
	engine *Engine
	addr   netip.Addr
	by     *listen.Listener
	once   sync.Once
}

// RemoteAddr implements net.Conn. The kernel forgets the address of a peer that
// has gone, and the loop knows it from the accept.
func (h *handed) RemoteAddr() net.Addr {
	port := uint16(0)
	if a, ok := h.Conn.RemoteAddr().(*net.TCPAddr); ok && a.AddrPort().Addr().Unmap() == h.addr {
		port = a.AddrPort().Port()
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(h.addr, port))
}

// Read implements net.Conn.
func (h *handed) Read(b []byte) (int, error) {
	if h.tls == nil && len(h.prefix) > 0 && len(b) > 0 {
		return h.first(b), nil
	}
	return h.Conn.Read(b)
}

// first reads of what was read already.
func (h *handed) first(b []byte) int {
	n := copy(b, h.prefix)
	h.prefix = h.prefix[n:]
	return n
}

// Secured is TLS on h after its handshake, where there is; what was read already
// comes first when it is read. It can be used once Below was called.
func (h *handed) Secured() (net.Conn, *listen.Secured) {
	if h.tls == nil {
		return nil, nil
	}
	return &above{h.tls.conn, h}, h.tls.known
}

// Below puts TLS on conn, which is h or rests on it, and may wait.
func (h *handed) Below(conn net.Conn) { h.tls.below = conn }

// above is TLS on a connection that was handed over.
type above struct {
	*tls.Conn
	handed *handed
}

// Read implements net.Conn.
func (a *above) Read(b []byte) (int, error) {
	if h := a.handed; len(h.prefix) > 0 && len(b) > 0 {
		return h.first(b), nil
	}
	return a.Conn.Read(b)
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
