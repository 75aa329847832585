package link

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"time"

	"rgate/internal/cert"
	"rgate/internal/config"
)

// sessions is how many TLS sessions a link remembers, to resume them.
const sessions = 256

// glances are how the files of a link look from outside.
type glances struct {
	read   cert.Glance // when they were read last
	latest cert.Glance // when they were looked at last
}

// filesOf are the files that a backend names.
func filesOf(said *config.EndpointTLS) []string {
	return slices.DeleteFunc([]string{said.CA, said.Cert, said.Key}, func(path string) bool { return path == "" })
}

func glance(said *config.EndpointTLS) cert.Glance { return cert.GlanceAt(filesOf(said)...) }

// read reads the files for the first time.
func (l *Link) read() *secrets {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.secret.Load(); s != nil {
		return s
	}
	l.files.read = glance(&l.said)
	s := &secrets{}
	var problems []*cert.Problem
	if s.config, problems = load(&l.said, l.scheme); s.config == nil {
		s.err = fmt.Errorf("backend %s: %w", l.backend, fault(problems))
	}
	l.secret.Store(s)
	return s
}

// fault is the first of several problems for which files cannot be used.
func fault(problems []*cert.Problem) error {
	for _, p := range problems {
		if !p.Warning {
			return p
		}
	}
	return nil
}

// Told hears what became of files that changed: whether they are used now, or
// what was there before, and what is wrong.
type Told func(backend string, used bool, problems []*cert.Problem)

// Watch reads files again that change, until ctx ends. New connections go by
// them; what was agreed on with the old ones is forgotten.
func (l *Link) Watch(ctx context.Context, every time.Duration, tell Told) {
	if len(filesOf(&l.said)) == 0 {
		return
	}
	l.read()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.refresh(tell)
		}
	}
}

// refresh is one look. Files are read once they look the same twice, as they are
// written one after the other.
func (l *Link) refresh(tell Told) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.files.latest
	l.files.latest = glance(&l.said)
	if l.files.latest.Same(l.files.read) || !l.files.latest.Same(before) {
		return
	}
	l.files.read = l.files.latest
	c, problems := load(&l.said, l.scheme)
	if c != nil {
		l.secret.Store(&secrets{config: c})
	}
	tell(l.backend, c != nil, problems)
}

// load reads the files of a backend. There is no config where a problem is no
// warning.
func load(said *config.EndpointTLS, scheme config.Scheme) (*tls.Config, []*cert.Problem) {
	c := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         said.ServerName,
		InsecureSkipVerify: said.Unverified, // the file says so, and is warned
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(sessions),
	}
	if scheme.HTTP2() {
		c.NextProtos = []string{"h2"}
	}
	var problems []*cert.Problem
	bad := false
	if said.CA != "" {
		roots, p := cert.Roots(said.CA)
		if p != nil {
			problems, bad = append(problems, p), true
		}
		c.RootCAs = roots
	}
	if said.Cert != "" {
		own, found := cert.Load(cert.Pair{Cert: said.Cert, Key: said.Key, Default: true}, time.Now())
		problems = append(problems, found...)
		if own == nil {
			return nil, problems
		}
		c.Certificates = []tls.Certificate{*own}
	}
	if bad {
		return nil, problems
	}
	return c, problems
}
