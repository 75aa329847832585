package listen

import (
	"crypto/tls"
	"net"
)

// Secured is what is known of a connection with TLS once its handshake is done.
type Secured struct {
	tls   *TLS
	asked string // the host that it was made for
}

// NewSecured asks c, which t secured. A connection is made for the host that the
// client named, else for the address that it connected to.
func NewSecured(t *TLS, c *tls.Conn) *Secured {
	name := c.ConnectionState().ServerName
	if name == "" {
		name, _, _ = net.SplitHostPort(c.LocalAddr().String())
	}
	return &Secured{t, name}
}

// Belongs tells whether a request for a host may come on the connection.
func (s *Secured) Belongs(host []byte) bool { return s.tls.belongs(s.asked, host) }

// HSTS is the value of Strict-Transport-Security (RFC 6797 §6.1); "" for none.
func (s *Secured) HSTS() string { return s.tls.HSTS }
