package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/cert"
	"rgate/internal/config"
)

// TLS is how a listener's connections are secured.
type TLS struct {
	HSTS    string // the value of Strict-Transport-Security (RFC 6797 §6.1); "" for none
	config  atomic.Pointer[tls.Config]
	renewal sync.Mutex // of config
	certs   *cert.Store
	clients *cert.Clients // nil where clients are not asked for certificates
	tickets TicketKeys    // nil for those of crypto/tls
	said    *config.ListenerTLS
}

// Config is for tls.Server, for a connection that begins now.
func (t *TLS) Config() *tls.Config { return t.config.Load() }

// newTLS serves certs as said says.
func newTLS(certs *cert.Store, clients *cert.Clients, tickets TicketKeys, said *config.ListenerTLS) *TLS {
	t := &TLS{certs: certs, clients: clients, tickets: tickets, said: said}
	if said.HSTS > 0 {
		t.HSTS = fmt.Sprintf("max-age=%d", int64(said.HSTS.Seconds()))
	}
	t.renew()
	return t
}

// renew makes the configuration anew of what has changed meanwhile. One that is in
// use is never changed.
func (t *TLS) renew() {
	t.renewal.Lock()
	defer t.renewal.Unlock()
	least := uint16(tls.VersionTLS12)
	if t.said.MinVersion == config.TLS13 {
		least = tls.VersionTLS13
	}
	c := &tls.Config{
		GetCertificate: t.certs.Certificate,
		MinVersion:     least,
		CipherSuites:   suites,
		NextProtos:     offers(t.said.Offers),
		// What is small goes out small anyhow, and what is large in many small records
		// costs both sides.
		DynamicRecordSizingDisabled: true,
	}
	if t.said.ACME != nil && t.said.ACME.Has(config.ChallengeTLSALPN) {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return proof(t.certs, hello), nil }
	}
	trust := t.authenticate(c)
	if t.tickets != nil {
		t.resume(c, t.tickets.Keys(), trust)
	}
	t.config.Store(c)
}

// ProofProtocol is what an authority asks for by ALPN that comes to see whether a
// name is this machine's (RFC 8737 §4). A connection with it ends with its
// handshake.
const ProofProtocol = "acme-tls/1"

// proof is how such an authority is served; nil for a client like any other.
func proof(certs *cert.Store, hello *tls.ClientHelloInfo) *tls.Config {
	if len(hello.SupportedProtos) != 1 || hello.SupportedProtos[0] != ProofProtocol {
		return nil
	}
	c := certs.Proof(hello)
	if c == nil {
		return nil
	}
	return &tls.Config{
		Certificates: []tls.Certificate{*c}, NextProtos: []string{ProofProtocol},
		MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
	}
}

// offers is what a handshake may agree on (RFC 7301), the preferred first.
func offers(p config.Protocols) (names []string) {
	if p.Has(config.H2) {
		names = append(names, "h2")
	}
	if p.Has(config.H1) {
		names = append(names, "http/1.1")
	}
	return names
}

// suites are those of TLS 1.2: with forward secrecy and AEAD. crypto/tls would do
// CBC with SHA-1, too, for clients that no longer matter; those of TLS 1.3 are all
// good. It chooses among them itself.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// Issue has the issuer of what no file of a listener has a certificate for; nil
// where said wants none. It says the same of the same, so that a listener that
// stays as it is keeps its own, and may be called by several at once.
type Issue func(said *config.ListenerTLS) (cert.Issuer, error)

// Supply is what listeners with TLS are given beside their files.
type Supply struct {
	Issue   Issue      // nil for no other certificates
	Tickets TicketKeys // nil for each listener's own
}

// OpenTLS reads the certificates that said names, and takes the others from
// supply. Warnings are what is wrong with some that are served all the same. The
// error is a *config.Problems.
func OpenTLS(said *config.ListenerTLS, supply Supply) (t *TLS, warnings []config.Problem, err error) {
	o, ok := openWithin(patience, said, supply.Issue)
	switch {
	case !ok:
		at := said.Place
		at.Message = fmt.Sprintf("the certificates of this listener cannot be read: nothing came in %v", patience)
		at.Hint = "are they on a file system whose server is away?"
		return nil, nil, &config.Problems{List: []config.Problem{at}}
	case o.err != nil:
		var wrong *config.Problems
		if errors.As(o.err, &wrong) {
			return nil, nil, wrong
		}
		at := said.Place
		at.Message = o.err.Error()
		return nil, nil, &config.Problems{List: []config.Problem{at}}
	}
	var problems []config.Problem
	sort := func(at config.Problem, p *cert.Problem) {
		at.Message, at.Hint, at.Warning = p.Text, p.Hint, p.Warning
		if p.Warning {
			warnings = append(warnings, at)
		} else {
			problems = append(problems, at)
		}
	}
	for i, list := range o.problems {
		for _, p := range list {
			if p.File == said.Certificates[i].Key {
				sort(said.Certificates[i].KeyPlace, p)
			} else {
				sort(said.Certificates[i].CertPlace, p)
			}
		}
	}
	for _, p := range o.untrusted {
		sort(said.ClientAuth.Place, p)
	}
	if problems != nil {
		return nil, warnings, &config.Problems{List: problems}
	}
	return newTLS(o.store, o.clients, supply.Tickets, said), warnings, nil
}

// patience is how long certificates may take to be read, by who cannot wait.
const patience = 5 * time.Second

// reading is what came of reading the certificates of a listener.
type reading struct {
	store     *cert.Store
	problems  [][]*cert.Problem // by certificate
	clients   *cert.Clients
	untrusted []*cert.Problem // of the authorities of clients
	err       error           // there is no issuer
}

// openWithin gives up a read that hangs, whose goroutine stays until it does not.
func openWithin(limit time.Duration, said *config.ListenerTLS, issue Issue) (_ reading, ok bool) {
	done := make(chan reading, 1)
	go func() { done <- openAll(said, issue) }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case o := <-done:
		return o, true
	case <-timer.C:
		return reading{}, false
	}
}

func openAll(said *config.ListenerTLS, issue Issue) (o reading) {
	var issuer cert.Issuer
	if issue != nil {
		if issuer, o.err = issue(said); o.err != nil {
			return o
		}
	}
	pairs := make([]cert.Pair, len(said.Certificates))
	for i, c := range said.Certificates {
		pairs[i] = cert.Pair{Cert: c.Cert, Key: c.Key, Default: c.Default}
	}
	o.store, o.problems = cert.Open(pairs, issuer)
	if said.ClientAuth != nil {
		o.clients, o.untrusted = cert.OpenClients(said.ClientAuth.CA)
	}
	return o
}

// ACME is how certificates are got that no file has; nil for not at all.
func (t *TLS) ACME() *config.ACME { return t.said.ACME }

// Covers tells whether a host is served, or will be.
func (t *TLS) Covers(host string) bool { return t.certs.Covers(host) }

// HasFile tells whether a file names a host.
func (t *TLS) HasFile(host string) bool { return t.certs.HasFile(host) }

// Certificates is how it stands with each certificate that is served, or tried
// to be had.
func (t *TLS) Certificates() []cert.Status { return t.certs.List() }

// Watch reads certificates again whose files change, until ctx ends.
func (t *TLS) Watch(ctx context.Context, every time.Duration, tell cert.Told) {
	t.certs.Watch(ctx, every, tell)
}

// Staple keeps what proves that certificates are not revoked, until ctx ends.
func (t *TLS) Staple(ctx context.Context, tell cert.Stapled) { t.certs.Staple(ctx, tell) }

// belongs tells whether a request for a host may come on a connection that was
// made for asked: else it is misdirected (RFC 9110 §15.5.20), as the client can
// not have seen the host's certificate. A request that names no host belongs.
func (t *TLS) belongs(asked string, host []byte) bool {
	if len(host) == 0 || alike(asked, host) {
		return true
	}
	name := bare(string(host))
	if t.clients != nil { // who was let in for one host was not for another
		return cert.SameHost(asked, name)
	}
	return t.certs.Same(asked, name)
}

// alike tells at once of most hosts that they are the one that was asked for,
// whatever the port. The rest is left to who knows more of names.
func alike(asked string, host []byte) bool {
	if n := len(asked); len(host) > n && host[n] == ':' && !strings.Contains(asked, ":") {
		host = host[:n]
	}
	return len(host) == len(asked) && strings.EqualFold(asked, string(host))
}

// bare is a Host field's value without its port and brackets.
func bare(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
