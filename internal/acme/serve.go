package acme

import (
	"cmp"
	"crypto/tls"
	"slices"
	"strings"

	"rgate/internal/cert"
)

// Certificate implements cert.Issuer.
func (m *Manager) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := cert.Asked(hello)
	if s := m.subject(name); s != nil {
		return s.cert.Load(), nil
	}
	return nil, nil
}

// Learn implements cert.Learner.
func (m *Manager) Learn(host string) { m.demand.want(host) }

// Proof implements cert.Prover.
func (m *Manager) Proof(hello *tls.ClientHelloInfo) *tls.Certificate {
	return m.challenges.Certificate(hello.ServerName)
}

// subject is who has the certificate for a host: its own, or a wildcard for its
// first label; nil for none. The host is as names are compared.
func (m *Manager) subject(host string) *subject {
	served := *m.served.Load()
	if s := served[host]; s != nil || host == "" {
		return s
	}
	if _, domain, ok := strings.Cut(host, "."); ok && len(served) > 0 {
		return served["*."+domain]
	}
	return nil
}

// Covers implements cert.Issuer.
func (m *Manager) Covers(host string) bool { return m.subject(cert.Normal(host)) != nil }

// Same implements cert.Issuer.
func (m *Manager) Same(asked, host string) bool {
	s := m.subject(cert.Normal(asked))
	return s != nil && s == m.subject(cert.Normal(host))
}

// List implements cert.Issuer.
func (m *Manager) List() []cert.Status {
	var list []cert.Status
	for name, s := range *m.served.Load() {
		told := s.status.Load()
		one := cert.Status{Names: []string{name}, Kind: cert.KindACME, Renewal: told.renewal, Error: told.problem}
		if c := s.cert.Load(); c != nil {
			one.Issuer, one.NotAfter = cert.Authority(c.Leaf), c.Leaf.NotAfter
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b cert.Status) int { return cmp.Compare(a.Names[0], b.Names[0]) })
	return list
}
