package listen

import (
	"crypto/tls"
	"net"
)

// Secured is what is known of a connection with TLS once its handshake is done.
type Secured struct {
	tls    *TLS
	asked  string // the host that it was made for
	client []byte // what endpoints are told of the client's certificate
}

// NewSecured asks c, which t secured. A connection is made for the host that the
// client named, else for the address that it connected to.
func NewSecured(t *TLS, c *tls.Conn) *Secured {
	state := c.ConnectionState()
	s := &Secured{tls: t, asked: state.ServerName}
	if s.asked == "" {
		s.asked, _, _ = net.SplitHostPort(c.LocalAddr().String())
	}
	if t.clients != nil && len(state.VerifiedChains) > 0 {
		s.client = clientFields(state.VerifiedChains[0])
	}
	return s
}

// Belongs tells whether a request for a host may come on the connection.
func (s *Secured) Belongs(host []byte) bool { return s.tls.belongs(s.asked, host) }

// ClientFields is what endpoints are told of the client's certificate, which was
// verified; nil where there is none.
func (s *Secured) ClientFields() []byte { return s.client }

// HSTS is the value of Strict-Transport-Security (RFC 6797 §6.1); "" for none.
func (s *Secured) HSTS() string { return s.tls.HSTS }
