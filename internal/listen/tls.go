package listen

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"rgate/internal/cert"
	"rgate/internal/config"
)

// TLS is how a listener's connections are secured.
type TLS struct {
	Config *tls.Config // for tls.Server
	HSTS   string      // the value of Strict-Transport-Security (RFC 6797 §6.1); "" for none
	certs  *cert.Store
	said   *config.ListenerTLS
}

// newTLS serves certs as said says.
func newTLS(certs *cert.Store, said *config.ListenerTLS) *TLS {
	least := uint16(tls.VersionTLS12)
	if said.MinVersion == config.TLS13 {
		least = tls.VersionTLS13
	}
	t := &TLS{certs: certs, said: said, Config: &tls.Config{
		GetCertificate: certs.Certificate,
		MinVersion:     least,
		NextProtos:     []string{"http/1.1"},
		// What is small goes out small anyhow, and what is large in many small records
		// costs both sides.
		DynamicRecordSizingDisabled: true,
	}}
	if said.HSTS > 0 {
		t.HSTS = fmt.Sprintf("max-age=%d", int64(said.HSTS.Seconds()))
	}
	return t
}

// Issue has the issuer of what no file of a listener has a certificate for; nil
// where said wants none. It says the same of the same, so that a listener that
// stays as it is keeps its own. The error is a *config.Problems.
type Issue func(said *config.ListenerTLS) (cert.Issuer, error)

// OpenTLS reads the certificates that said names, and takes the others from
// issue; nil for from nowhere. Warnings are what is wrong with some that are
// served all the same. The error is a *config.Problems.
func OpenTLS(said *config.ListenerTLS, issue Issue) (t *TLS, warnings []config.Problem, err error) {
	pairs := make([]cert.Pair, len(said.Certificates))
	for i, c := range said.Certificates {
		pairs[i] = cert.Pair{Cert: c.Cert, Key: c.Key, Default: c.Default}
	}
	var issuer cert.Issuer
	if issue != nil {
		if issuer, err = issue(said); err != nil {
			return nil, nil, err
		}
	}
	certs, found, ok := openWithin(patience, pairs, issuer)
	if !ok {
		at := said.Certificates[0].CertPlace
		at.Message = fmt.Sprintf("the certificates of this listener cannot be read: nothing came in %v", patience)
		at.Hint = "are they on a file system whose server is away?"
		return nil, nil, &config.Problems{List: []config.Problem{at}}
	}
	var problems []config.Problem
	for i, list := range found {
		for _, p := range list {
			at := said.Certificates[i].CertPlace
			if p.File == said.Certificates[i].Key {
				at = said.Certificates[i].KeyPlace
			}
			at.Message, at.Hint = p.Text, p.Hint
			if p.Warning {
				warnings = append(warnings, at)
			} else {
				problems = append(problems, at)
			}
		}
	}
	if problems != nil {
		return nil, warnings, &config.Problems{List: problems}
	}
	return newTLS(certs, said), warnings, nil
}

// patience is how long certificates may take to be read, by who cannot wait.
const patience = 5 * time.Second

// openWithin gives up a read that hangs, whose goroutine stays until it does not.
func openWithin(limit time.Duration, pairs []cert.Pair, issuer cert.Issuer) (_ *cert.Store, problems [][]*cert.Problem, ok bool) {
	type opened struct {
		store    *cert.Store
		problems [][]*cert.Problem
	}
	done := make(chan opened, 1)
	go func() {
		s, problems := cert.Open(pairs, issuer)
		done <- opened{s, problems}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.store, o.problems, true
	case <-timer.C:
		return nil, nil, false
	}
}

// Check reads the certificates of all listeners, as a start would.
func Check(cfg *config.Config) (warnings []config.Problem, err error) {
	var all []config.Problem
	for _, l := range cfg.Listeners {
		if l.TLS == nil {
			continue
		}
		_, more, err := OpenTLS(l.TLS, nil)
		warnings = append(warnings, more...)
		if problems, ok := err.(*config.Problems); ok {
			all = append(all, problems.List...)
		}
	}
	if all != nil {
		return warnings, &config.Problems{List: all}
	}
	return warnings, nil
}

// Certificates is how it stands with each certificate that is served, or tried
// to be had.
func (t *TLS) Certificates() []cert.Status { return t.certs.List() }

// Watch reads certificates again whose files change, until ctx ends.
func (t *TLS) Watch(ctx context.Context, every time.Duration, tell cert.Told) {
	t.certs.Watch(ctx, every, tell)
}

// belongs tells whether a request for a host may come on a connection that was
// made for asked: else it is misdirected (RFC 9110 §15.5.20), as the client can
// not have seen the host's certificate. A request that names no host belongs.
func (t *TLS) belongs(asked string, host []byte) bool {
	return len(host) == 0 || alike(asked, host) || t.certs.Same(asked, bare(string(host)))
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
