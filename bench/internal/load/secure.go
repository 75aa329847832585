//go:build linux

package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Secure says how TLS is spoken. What the other side agrees to has to be just
// that: TLS 1.3, AES-128-GCM and one key exchange, or figures say nothing.
type Secure struct {
	Name   string      // that is asked for
	Offer  tls.CurveID // the key exchange asked for, beside X25519
	Expect tls.CurveID // the one that is had
}

// config is that of all connections of a run; with sessions, they are resumed.
func (s *Secure) config(sessions tls.ClientSessionCache) *tls.Config {
	c := &tls.Config{
		ServerName: s.Name, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{s.Offer},
		NextProtos: []string{"http/1.1"}, ClientSessionCache: sessions, DynamicRecordSizingDisabled: true,
		// Whose certificate it is was looked at before; here it would cost the
		// load what a gateway does not pay for.
		InsecureSkipVerify: true,
	}
	if s.Offer != tls.X25519 {
		c.CurvePreferences = append(c.CurvePreferences, tls.X25519)
	}
	return c
}

// agreed tells whether a handshake came to what is to be measured.
func (s *Secure) agreed(state tls.ConnectionState) error {
	switch {
	case state.Version != tls.VersionTLS13:
		return fmt.Errorf("%s, want TLS 1.3", tls.VersionName(state.Version))
	case state.CipherSuite != tls.TLS_AES_128_GCM_SHA256:
		return fmt.Errorf("%s, want AES-128-GCM", tls.CipherSuiteName(state.CipherSuite))
	case state.CurveID != s.Expect:
		return fmt.Errorf("key exchange by %s, want %s", state.CurveID, s.Expect)
	case state.NegotiatedProtocol == "h2": // none is HTTP/1.1 as well
		return errors.New("HTTP/2, want HTTP/1.1")
	}
	return nil
}

// shake does the handshake on a new connection, and waits for it: connections
// are kept, so this is not what is measured.
func (c *connection) shake(s *Secure, config *tls.Config) error {
	c.wire = &wire{fd: c.fd, waits: true}
	c.secure = tls.Client(c.wire, config)
	err := c.secure.Handshake()
	if err == nil {
		err = s.agreed(c.secure.ConnectionState())
	}
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	c.wire.waits = false
	return nil
}

// wire is the socket below a tls.Conn, which makes every error of a write one
// for good, and every error of a read that is not temporary: so a write keeps
// what the socket does not take, and a read that finds nothing says so.
type wire struct {
	fd    int
	waits bool   // for the other side, as in a handshake
	kept  []byte // what the socket did not take yet
	dry   bool   // the last read left nothing; reset by whoever knows of more
}

// nothing is there to be read now.
type nothing struct{}

func (nothing) Error() string   { return "nothing to read yet" }
func (nothing) Timeout() bool   { return false }
func (nothing) Temporary() bool { return true }

func (w *wire) Read(b []byte) (int, error) {
	for !w.dry {
		n, err := unix.Read(w.fd, b)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN) && w.waits:
			if err := await(w.fd, unix.POLLIN); err != nil {
				return 0, err
			}
		case errors.Is(err, unix.EAGAIN):
			return 0, nothing{}
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			w.dry = n < len(b) && !w.waits
			return n, nil
		}
	}
	return 0, nothing{}
}

func (w *wire) Write(b []byte) (int, error) {
	w.kept = append(w.kept, b...)
	return len(b), w.flush()
}

// flush writes what the socket takes.
func (w *wire) flush() error {
	for sent := 0; ; {
		if sent == len(w.kept) {
			w.kept = w.kept[:0]
			return nil
		}
		n, err := unix.Write(w.fd, w.kept[sent:])
		switch {
		case err == nil:
			sent += n
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EAGAIN):
			return err
		case !w.waits:
			w.kept = w.kept[:copy(w.kept, w.kept[sent:])]
			return nil
		default:
			if err := await(w.fd, unix.POLLOUT); err != nil {
				return err
			}
		}
	}
}

// await waits for a socket, as long as for an answer.
func await(fd int, events int16) error {
	wait := []unix.PollFd{{Fd: int32(fd), Events: events}}
	switch n, err := unix.Poll(wait, int(answerTimeout.Milliseconds())); {
	case err != nil && !errors.Is(err, unix.EINTR):
		return fmt.Errorf("cannot wait for a socket: %w", err)
	case err == nil && n == 0:
		return errors.New("no answer in time")
	}
	return nil
}

// A tls.Conn asks for these, and does without.
func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return nil }
func (w *wire) RemoteAddr() net.Addr             { return nil }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
