package link

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"

	"rgate/internal/config"
	"rgate/internal/proxyproto"
)

// Conn is a connection to an endpoint over TLS.
type Conn struct {
	*tls.Conn
	link   *Link
	host   string
	socket *socket
}

// Introduce says on a new connection which client it is for, where that is to be
// said. The zero address is for rgate itself.
func (l *Link) Introduce(conn net.Conn, client, destination netip.AddrPort) error {
	version := 1
	switch l.proxy {
	case "":
		return nil
	case config.ProxyV2:
		version = 2
	}
	var h proxyproto.Header
	if client.IsValid() && destination.IsValid() {
		h = proxyproto.Header{Source: client, Destination: destination}
	}
	_, err := conn.Write(proxyproto.Append(nil, version, h))
	return err
}

// Encrypt makes a connection to an endpoint, whose own name is host, one over
// TLS. Where that fails the connection is closed, and the error says what can be
// done about it; one of time is a net.Error.
func (l *Link) Encrypt(ctx context.Context, conn net.Conn, host string) (*Conn, error) {
	cfg, err := l.TLS(host, conn.RemoteAddr().String())
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	s := newSocket(conn)
	c := &Conn{Conn: tls.Client(s, cfg), link: l, host: cfg.ServerName, socket: s}
	if err := c.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, c.worded(err)
	}
	if l.HTTP2() && c.ConnectionState().NegotiatedProtocol != "h2" {
		_ = conn.Close()
		return nil, &Error{Text: "the endpoint speaks TLS, and no HTTP/2 on it", Hint: "`scheme: https` is for HTTP/1.1"}
	}
	return c, nil
}

// Read implements net.Conn. The socket's end without a word of TLS is none that
// completes anything (RFC 8446 §6.1): anybody on the way could have made it.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF) && c.socket.ended:
		err = io.ErrUnexpectedEOF
	default:
		err = c.worded(err)
	}
	return n, err
}

// Close closes the socket at once. Whoever closes the connection of another must
// not wait for what TLS would still say.
func (c *Conn) Close() error { return c.socket.Close() }

// Leave says so, where that can be said at once, and closes. Nobody else may use
// the connection.
func (c *Conn) Leave() error {
	c.socket.hasty = true
	_ = c.CloseWrite() // where it cannot be said it is not
	return c.Close()
}

// mostGlance is what an endpoint may have said unasked between two requests:
// tickets, and changes of keys.
const mostGlance = 64 << 10

// Look tells whether an idle connection is silent, or whether its endpoint has
// ended it. That bytes are there says neither: tickets come unasked. Nobody else
// may use the connection meanwhile.
func (c *Conn) Look() (silent, ended bool) {
	var one [1]byte
	c.socket.hasty, c.socket.heard = true, 0
	n, err := c.Conn.Read(one[:])
	c.socket.hasty = false
	if n > 0 {
		return false, false
	}
	return errors.Is(err, errNothing), !errors.Is(err, errNothing)
}
