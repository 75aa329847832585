package cert

import (
	"context"
	"crypto/tls"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Store serves the certificates of files as they are at the moment, and for
// names that none of them has those of an issuer.
type Store struct {
	set    atomic.Pointer[Set]
	files  []watched // Open's, and then Watch's alone, but for entries
	issuer Issuer    // nil for none

	mu      sync.Mutex // guards the entries of files, and what is made of them
	staples staples
}

// watched is a pair, and what its files were.
type watched struct {
	Pair
	entry  Entry
	read   Glance // when they were read last
	latest Glance // when they were looked at last
}

func (p Pair) look() Glance { return GlanceAt(p.Cert, p.Key) }

// Open reads all pairs. The issuer has what they have not; nil for none.
// Problems are by pair, and there is no store where one of them is no warning.
func Open(pairs []Pair, issuer Issuer) (*Store, [][]*Problem) {
	s := &Store{files: make([]watched, len(pairs)), issuer: issuer, staples: newStaples()}
	problems, bad := make([][]*Problem, len(pairs)), false
	for i, p := range pairs {
		f := &s.files[i]
		f.Pair, f.read, f.entry.Default, f.entry.File = p, p.look(), p.Default, p.Cert
		f.entry.Certificate, problems[i] = Load(p, time.Now())
		bad = bad || f.entry.Certificate == nil
	}
	if bad {
		return nil, problems
	}
	s.publish()
	return s, problems
}

// publish serves what files holds, with the staples of the moment.
func (s *Store) publish() {
	entries := make([]Entry, len(s.files))
	for i := range s.files {
		entries[i] = s.files[i].entry
		entries[i].Certificate = s.staples.on(entries[i].Certificate)
	}
	s.set.Store(NewSet(entries))
}

// Certificate is what tls.Config.GetCertificate wants: the best certificate
// that the client can use, of a file that names what is asked for, else the
// issuer's, else a default one; nil, which is told by the alert
// unrecognized_name, where there is none.
func (s *Store) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	set := s.set.Load()
	if list := set.Named(Asked(hello)); list != nil {
		return best(list, hello), nil
	}
	if s.issuer != nil {
		if c, err := s.issuer.Certificate(hello); c != nil || err != nil {
			return c, err
		}
	}
	return best(set.fallback, hello), nil
}

// HasFile tells whether the certificate of a file names a host.
func (s *Store) HasFile(host string) bool { return s.set.Load().Named(host) != nil }

// Proof is the issuer's, where it is a Prover; else nil.
func (s *Store) Proof(hello *tls.ClientHelloInfo) *tls.Certificate {
	if p, ok := s.issuer.(Prover); ok {
		return p.Proof(hello)
	}
	return nil
}

// Named is the first certificate of a file that names a host.
func (s *Store) Named(host string) (Status, bool) {
	set := s.set.Load()
	return set.first(set.Named(host))
}

// Fallback is the first certificate that is served by default.
func (s *Store) Fallback() (Status, bool) {
	set := s.set.Load()
	return set.first(set.fallback)
}

// Default tells whether a certificate is served where none has the name.
func (s *Store) Default() bool { return s.set.Load().fallback != nil }

// Covers tells whether a host is served a certificate that names it, or will be
// as soon as there is one.
func (s *Store) Covers(host string) bool {
	return s.set.Load().Covers(host) || s.issuer != nil && s.issuer.Covers(host)
}

// Serves tells whether who asks for a host is served any certificate.
func (s *Store) Serves(host string) bool {
	return len(s.set.Load().For(host)) > 0 || s.issuer != nil && s.issuer.Covers(host)
}

// Same tells whether whoever asked for one host was served what the other has,
// too: else a request for that one, on this one's connection, is misdirected
// (RFC 9110 §15.5.20).
func (s *Store) Same(asked, host string) bool {
	if normal(asked) == normal(host) {
		return true
	}
	set := s.set.Load()
	if a, b := s.issues(set, asked), s.issues(set, host); a || b {
		return a && b && s.issuer.Same(asked, host)
	}
	return slices.Equal(set.For(asked), set.For(host))
}

// issues tells whether a host is the issuer's.
func (s *Store) issues(set *Set, host string) bool {
	return s.issuer != nil && set.Named(host) == nil && s.issuer.Covers(host)
}

// List is how it stands with the certificates of files, and with the issuer's.
func (s *Store) List() (list []Status) {
	for _, e := range s.set.Load().entries {
		list = append(list, e.status())
	}
	if s.issuer != nil {
		list = append(list, s.issuer.List()...)
	}
	return list
}

// Told hears what became of files that changed: whether they are served now, or
// what was there before, and what is wrong.
type Told func(p Pair, served bool, problems []*Problem)

// Watch reads pairs again whose files have changed, until ctx ends.
func (s *Store) Watch(ctx context.Context, every time.Duration, tell Told) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.refresh(tell)
		}
	}
}

// refresh is one look. Files are read once they look the same twice, as
// certificate and key are written one after the other, and once only, be they
// good or bad: the next change is the next occasion.
func (s *Store) refresh(tell Told) {
	for i := range s.files {
		f := &s.files[i]
		before := f.latest
		f.latest = f.look()
		if f.latest.Same(f.read) || !f.latest.Same(before) {
			continue
		}
		f.read = f.latest
		c, problems := Load(f.Pair, time.Now())
		if c != nil {
			s.mu.Lock()
			f.entry.Certificate = c
			s.publish()
			s.mu.Unlock()
			s.staples.look()
		}
		tell(f.Pair, c != nil, problems)
	}
}
