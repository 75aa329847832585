package listen

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"rgate/internal/cert"
	"rgate/internal/config"
)

// authenticate has c ask clients for certificates where that is wanted. What it
// returns is alike for listeners that let in the same clients.
func (t *TLS) authenticate(c *tls.Config) (trust []byte) {
	if t.clients == nil {
		return nil
	}
	now := t.clients.Trust()
	c.ClientCAs = now.Pool
	c.ClientAuth = tls.RequireAndVerifyClientCert
	if t.said.ClientAuth.Mode == config.ClientAuthRequest {
		c.ClientAuth = tls.VerifyClientCertIfGiven // one that is given and not good is refused
	}
	return append([]byte(t.said.ClientAuth.Mode+" "), now.Sum[:]...)
}

// WatchClients reads the authorities of clients again where their file changes,
// until ctx ends. What they say no more of holds for connections from then on,
// also for those that resume a session.
func (t *TLS) WatchClients(ctx context.Context, every time.Duration, tell func(path string, taken bool, problems []*cert.Problem)) {
	if t.clients == nil {
		return
	}
	t.clients.Watch(ctx, every, func(path string, taken bool, problems []*cert.Problem) {
		if taken {
			t.renew()
		}
		tell(path, taken, problems)
	})
}

// clientFields words what endpoints are told of a client whose chain was verified:
// Client-Cert and Client-Cert-Chain (RFC 9440 §2), which leaves out who is trusted
// anyway, and the parts of the certificate that most want.
func clientFields(chain []*x509.Certificate) []byte {
	leaf := chain[0]
	b := appendDER([]byte("\r\nClient-Cert: "), leaf.Raw)
	for i, c := range chain[1:max(len(chain)-1, 1)] {
		if i == 0 {
			b = append(b, "\r\nClient-Cert-Chain: "...)
		} else {
			b = append(b, ", "...)
		}
		b = appendDER(b, c.Raw)
	}
	if subject := leaf.Subject.String(); subject != "" {
		b = appendVisible(append(b, "\r\nX-Client-Cert-Subject: "...), subject, '\\', "")
	}
	b = appendNames(b, leaf)
	sum := sha256.Sum256(leaf.Raw)
	return hex.AppendEncode(append(b, "\r\nX-Client-Cert-Fingerprint: "...), sum[:])
}

// appendDER appends a byte sequence (RFC 8941 §3.3.5).
func appendDER(b, der []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(b, ':'), der), ':')
}

// appendNames appends X-Client-Cert-SAN: the subject's alternative names, each with
// its kind. No name has a comma that is not written in hexadecimal.
func appendNames(b []byte, leaf *x509.Certificate) []byte {
	sep := "\r\nX-Client-Cert-SAN: "
	put := func(kind, name, hidden string) {
		b = append(append(b, sep...), kind...)
		b = appendVisible(b, name, '%', hidden)
		sep = ", "
	}
	for _, name := range leaf.DNSNames {
		put("DNS:", name, ", %")
	}
	for _, ip := range leaf.IPAddresses {
		put("IP:", ip.String(), "")
	}
	for _, name := range leaf.EmailAddresses {
		put("email:", name, ", %")
	}
	for _, u := range leaf.URIs {
		put("URI:", u.String(), ", ")
	}
	return b
}

// appendVisible appends text of a certificate, which may hold whatever its
// authority has let pass: what is hidden, or no visible ASCII, as escape and two
// hexadecimal digits, which is what a string of a subject has, too (RFC 4514
// §2.4).
func appendVisible(b []byte, text string, escape byte, hidden string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || strings.IndexByte(hidden, c) >= 0 {
			b = append(b, escape, digits[c>>4], digits[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}
