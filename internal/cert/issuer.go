package cert

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"strings"
	"time"
)

// Issuer has certificates for names that no file has one for.
type Issuer interface {
	// Certificate is what it serves to hello; nil where it has none for Asked.
	// It never waits: handshakes are done where nothing may. An error ends the
	// handshake.
	Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
	// Covers tells whether it serves a host, or will as soon as it can. The host
	// is a name or an address, in any spelling; "" is none.
	Covers(host string) bool
	// Same tells of two hosts that it covers whether who asked for one is served
	// what the other is, too.
	Same(asked, host string) bool
	// List is what it has, and what it tries to have.
	List() []Status
}

// Prover is an issuer whose authority comes to see whether a name is this
// machine's.
type Prover interface {
	// Proof is what is served to an authority that looks (RFC 8737); nil for
	// nothing. It never waits.
	Proof(hello *tls.ClientHelloInfo) *tls.Certificate
}

// Learner is an issuer that can come to cover a host that a client asks for.
type Learner interface {
	// Learn hears of one that nobody covers. It never waits.
	Learn(host string)
}

// The kinds of certificates by where they come from.
const (
	KindFile     = "file"
	KindACME     = "acme"
	KindInternal = "internal"
)

// Status is how it stands with one certificate.
type Status struct {
	Names    []string  // hosts, wildcards and addresses
	Kind     string    // KindFile, …
	Issuer   string    // who signed it; "" while there is none
	NotAfter time.Time // zero while there is none
	Renewal  time.Time // when it is to be replaced; zero where nobody knows
	Error    string    // why it could not be had, or replaced, the last time; "" for nothing
	File     string    // KindFile: the path of the certificate
}

// Issuers are several, the first that covers a host having it.
type Issuers []Issuer

// Certificate implements Issuer.
func (all Issuers) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if i := all.of(Asked(hello)); i != nil {
		return i.Certificate(hello)
	}
	for _, i := range all {
		if l, ok := i.(Learner); ok {
			l.Learn(Asked(hello))
		}
	}
	return nil, nil
}

// Covers implements Issuer.
func (all Issuers) Covers(host string) bool { return all.of(host) != nil }

// Same implements Issuer.
func (all Issuers) Same(asked, host string) bool {
	for _, i := range all {
		switch a, b := i.Covers(asked), i.Covers(host); {
		case a && b:
			return i.Same(asked, host)
		case a || b:
			return false
		}
	}
	return false
}

// Proof implements Prover.
func (all Issuers) Proof(hello *tls.ClientHelloInfo) *tls.Certificate {
	for _, i := range all {
		if p, ok := i.(Prover); ok {
			if c := p.Proof(hello); c != nil {
				return c
			}
		}
	}
	return nil
}

// List implements Issuer.
func (all Issuers) List() (list []Status) {
	for _, i := range all {
		list = append(list, i.List()...)
	}
	return list
}

func (all Issuers) of(host string) Issuer {
	if at := slices.IndexFunc(all, func(i Issuer) bool { return i.Covers(host) }); at >= 0 {
		return all[at]
	}
	return nil
}

// Normal is a host as names are compared: a name in lower case without its final
// dot, or an address in its one spelling.
func Normal(host string) string { return normal(host) }

// Authority is how the one who signed a certificate is told.
func Authority(leaf *x509.Certificate) string {
	return cmp.Or(leaf.Issuer.CommonName, strings.Join(leaf.Issuer.Organization, ", "), leaf.Issuer.String())
}

// Asked is the host that a client asks for: the name that it sends, as names
// are compared, else the address that it connected to, for which none is sent
// (RFC 6066 §3).
func Asked(hello *tls.ClientHelloInfo) string {
	if hello.ServerName != "" || hello.Conn == nil {
		return normal(hello.ServerName)
	}
	host, _, _ := net.SplitHostPort(hello.Conn.LocalAddr().String())
	return normal(host)
}
