package link

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Error is why TLS cannot be spoken to an endpoint, and what can be done about it.
type Error struct {
	Text string
	Hint string
	Err  error
}

// Error is both on one line.
func (e *Error) Error() string { return e.Text + " (" + e.Hint + ")" }

// Unwrap is what TLS said.
func (e *Error) Unwrap() error { return e.Err }

// date is how days are told.
const date = "2 January 2006 15:04 MST"

// worded is err with what can be done about it, where that is known. Errors of
// time, and of who gives up, stay what they are.
func (c *Conn) worded(err error) error {
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return err
	}
	text, hint := c.words(err)
	if text == "" {
		return err
	}
	return &Error{Text: text, Hint: hint, Err: err}
}

func (c *Conn) words(err error) (text, hint string) {
	var (
		unknown x509.UnknownAuthorityError
		other   x509.HostnameError
		invalid x509.CertificateInvalidError
		plain   tls.RecordHeaderError
		remote  *net.OpError
	)
	switch {
	case errors.As(err, &unknown):
		return fmt.Sprintf("the endpoint's certificate is of an authority that is not trusted: %s", issuer(unknown.Cert)),
			"`ca` of the backend's `tls` names the authority"
	case errors.As(err, &other):
		return fmt.Sprintf("the endpoint's certificate is for %s, and not for %s", names(other.Certificate), c.host),
			"`server_name` of the backend's `tls` says whom it is to name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return validity(invalid.Cert), "the endpoint needs a new one; is the clock right?"
	case errors.As(err, &invalid):
		return "the endpoint's certificate cannot be used: " + invalid.Error(), "the endpoint needs another one"
	case errors.As(err, &plain):
		return "the endpoint answers, and not with TLS", "`scheme: http` is for who speaks without, and `port` may be another one"
	case errors.As(err, &remote) && remote.Op == "remote error":
		return c.refused(strings.TrimPrefix(remote.Err.Error(), "tls: "))
	case errors.Is(err, io.EOF) && !c.ConnectionState().HandshakeComplete:
		return "the endpoint closed the connection in the TLS handshake", "does it speak TLS on this port?"
	}
	return "", ""
}

// refused is for an alert of the endpoint's (RFC 8446 §6.2), in the words of
// crypto/tls, which has no better names for them.
func (c *Conn) refused(alert string) (text, hint string) {
	switch alert {
	case "certificate required", "bad certificate", "unknown certificate authority":
		return "the endpoint wants a certificate of rgate, or another one: " + alert, "`cert` and `key` of the backend's `tls`"
	case "unrecognized name":
		return fmt.Sprintf("the endpoint has no certificate for %s", c.host), "`server_name` of the backend's `tls` says whom it is asked for"
	case "protocol version not supported":
		return "the endpoint speaks no TLS 1.2 or later", "older versions are not safe"
	case "no application protocol":
		return fmt.Sprintf("the endpoint does not speak what scheme %s asks for", c.link.scheme), "another `scheme` of the backend"
	case "handshake failure":
		return "the endpoint agrees to nothing that rgate offers", "it may want a certificate (`cert` and `key` of the backend's `tls`), or know none but old ciphers"
	}
	return "the endpoint refused TLS: " + alert, "its own log may say why"
}

func issuer(c *x509.Certificate) string {
	if c == nil {
		return "its issuer is not told"
	}
	if c.Issuer.String() == c.Subject.String() {
		return "it is signed by itself"
	}
	return fmt.Sprintf("%q", c.Issuer.String())
}

// names are those that a certificate has, a few of them.
func names(c *x509.Certificate) string {
	const few = 5
	all := c.DNSNames
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	switch {
	case len(all) == 0:
		return "no name at all"
	case len(all) > few:
		return fmt.Sprintf("%s and %d more", strings.Join(all[:few], ", "), len(all)-few)
	}
	return strings.Join(all, ", ")
}

func validity(c *x509.Certificate) string {
	if now := time.Now(); now.Before(c.NotBefore) {
		return fmt.Sprintf("the endpoint's certificate is not valid before %s", c.NotBefore.UTC().Format(date))
	}
	return fmt.Sprintf("the endpoint's certificate expired on %s", c.NotAfter.UTC().Format(date))
}
