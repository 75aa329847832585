//go:build linux

package loop

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// errNothing says that a read would have to wait. crypto/tls keeps what it has of a
// record, and reads on the next time, after an error that is temporary.
var errNothing error = nothingThere{}

type nothingThere struct{}

func (nothingThere) Error() string   { return "nothing is there" }
func (nothingThere) Timeout() bool   { return true }
func (nothingThere) Temporary() bool { return true }

// errGone says that a connection is of no use any more. It is not temporary, as
// some of the kernel's would be.
var errGone = errors.New("the connection has ended")

// Read is for crypto/tls, which reads from the socket by it. A handshake pauses
// where nothing is there.
func (s *secure) Read(b []byte) (int, error) {
	if s.below != nil {
		return s.below.Read(b)
	}
	for {
		if k := &s.client.sock; k.readable {
			n, errno := k.read(b)
			switch {
			case n > 0:
				s.records.follow(b[:n])
				return n, nil
			case errno == 0:
				return 0, io.EOF
			case errno != unix.EAGAIN:
				return 0, errGone
			}
		}
		if s.hello == nil {
			return 0, errNothing
		}
		if s.hello.pause(); s.over != alive {
			return 0, errGone
		}
	}
}

// Write is for crypto/tls, to which every error would be its last: so there is none.
// What the socket does not take is kept, and goes out first.
func (s *secure) Write(b []byte) (int, error) {
	if s.below != nil {
		return s.pass(b)
	}
	if s.gathers {
		if s.loop.mem.records = append(s.loop.mem.records, b...); len(s.loop.mem.records) >= bulkSize {
			s.sendGathered()
		}
		return len(b), nil
	}
	s.send(b)
	return len(b), nil
}

// send sends b, behind what is left of the rest.
func (s *secure) send(b []byte) {
	if len(s.rest) == 0 {
		b = b[s.push(b):]
	}
	if len(b) > 0 {
		s.rest = append(s.rest, b...)
	}
}

// push sends what the socket takes of b, and tells how much that is.
func (s *secure) push(b []byte) (sent int) {
	k := &s.client.sock
	for k.writable && sent < len(b) {
		n, errno := k.write(b[sent:])
		if errno != 0 && errno != unix.EAGAIN {
			s.over = failed
			return len(b) // nobody gets it
		}
		sent += n
	}
	return sent
}

// flush sends what it can of the rest.
func (s *secure) flush() {
	if len(s.rest) == 0 {
		return
	}
	if s.rest = s.rest[s.push(s.rest):]; len(s.rest) == 0 {
		s.rest = nil
	}
}

// sendGathered sends the records that were to go out together.
func (s *secure) sendGathered() {
	m := &s.loop.mem
	s.send(m.records)
	m.records = m.records[:0]
}

// pass writes to what TLS lies on now, the rest of before first.
func (s *secure) pass(b []byte) (int, error) {
	for len(s.rest) > 0 {
		n, err := s.below.Write(s.rest)
		if s.rest = s.rest[n:]; err != nil {
			return 0, err
		}
	}
	s.rest = nil
	return s.below.Write(b)
}

// Close is for crypto/tls. The loop closes its sockets itself.
func (s *secure) Close() error {
	if s.below != nil {
		return s.below.Close()
	}
	return nil
}

// LocalAddr is for who chooses a certificate for a client that names no host.
func (s *secure) LocalAddr() net.Addr {
	if s.below != nil {
		return s.below.LocalAddr()
	}
	var at netip.AddrPort
	sa, _ := unix.Getsockname(int(s.client.fd)) // nil for one that is not connected any more
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		at = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		at = netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return net.TCPAddrFromAddrPort(at)
}

// RemoteAddr is the client's, as the loop knows it from the accept.
func (s *secure) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(s.client.addr, 0))
}

// SetDeadline is for crypto/tls. The loop has its own.
func (s *secure) SetDeadline(t time.Time) error {
	if s.below != nil {
		return s.below.SetDeadline(t)
	}
	return nil
}

// SetReadDeadline is as SetDeadline.
func (s *secure) SetReadDeadline(t time.Time) error {
	if s.below != nil {
		return s.below.SetReadDeadline(t)
	}
	return nil
}

// SetWriteDeadline is as SetDeadline.
func (s *secure) SetWriteDeadline(t time.Time) error {
	if s.below != nil {
		return s.below.SetWriteDeadline(t)
	}
	return nil
}
