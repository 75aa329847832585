package cert

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"net/http"
	"sync"
	"time"
)

// staples are the proofs that certificates are served with, by certificate.
type staples struct {
	proofs map[[sha256.Size]byte]proof
	wake   chan struct{} // gets a token when certificates have changed
}

func newStaples() staples {
	return staples{proofs: map[[sha256.Size]byte]proof{}, wake: make(chan struct{}, 1)}
}

// look says that certificates have changed.
func (s *staples) look() {
	select {
	case s.wake <- struct{}{}:
	default: // it was said already
	}
}

// on is c with its staple, or c itself where there is none.
func (s *staples) on(c *tls.Certificate) *tls.Certificate {
	p, ok := s.proofs[sum(c)]
	if !ok {
		return c
	}
	with := *c
	with.OCSPStaple = p.der
	return &with
}

func sum(c *tls.Certificate) [sha256.Size]byte { return sha256.Sum256(c.Leaf.Raw) }

// After a failure the responder is asked again, later each time.
const (
	firstStapleRetry = time.Minute
	lastStapleRetry  = time.Hour
	stapleRest       = time.Minute // between questions about one certificate, whatever it says
	atOnce           = 4           // questions
)

// Stapled hears how it stands with the staple of a certificate: err is why there is
// no new one, must is that clients may refuse the certificate without one, and left
// is until when there is the one before; zero for none.
type Stapled func(file string, err error, must bool, left time.Time)

// asking is what is known of one certificate.
type asking struct {
	entry Entry
	next  time.Time // when to ask
	pause time.Duration
	bad   bool // the last question failed
}

// Staple keeps the proofs of certificates that name an OCSP responder, until ctx
// ends. It asks in the background, and again halfway through an answer's time; what
// there is goes on being served until it expires. Handshakes never wait for it.
func (s *Store) Staple(ctx context.Context, tell Stapled) {
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: maxOCSP}}
	all := map[[sha256.Size]byte]*asking{}
	for {
		s.recount(all)
		next := s.ask(ctx, client, all, tell)
		if !s.staples.await(ctx, next) {
			return
		}
	}
}

// await waits until next, unless that is zero, or until certificates have changed;
// false where ctx ends first.
func (s *staples) await(ctx context.Context, next time.Time) bool {
	var due <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(time.Until(next))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-s.wake:
	case <-due:
	}
	return true
}

// recount has all be the certificates of the moment that name a responder.
func (s *Store) recount(all map[[sha256.Size]byte]*asking) {
	s.mu.Lock()
	defer s.mu.Unlock()
	there := map[[sha256.Size]byte]bool{}
	for i := range s.files {
		e := s.files[i].entry
		if len(e.Certificate.Leaf.OCSPServer) == 0 {
			continue
		}
		key := sum(e.Certificate)
		there[key] = true
		if all[key] == nil {
			all[key] = &asking{entry: e}
		}
	}
	for key := range all {
		if !there[key] {
			delete(all, key)
			delete(s.staples.proofs, key)
		}
	}
}

// ask asks about those whose time it is, and returns when the next one's is; zero
// for none.
func (s *Store) ask(ctx context.Context, client *http.Client, all map[[sha256.Size]byte]*asking, tell Stapled) (next time.Time) {
	var asked sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, a := range all {
		if a.next.After(time.Now()) {
			continue
		}
		asked.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			p, err := fetch(ctx, client, a.entry.Certificate, time.Now())
			if ctx.Err() == nil {
				s.settle(a, p, err, tell)
			}
		})
	}
	asked.Wait()
	s.expire(time.Now())
	for _, a := range all {
		if next.IsZero() || a.next.Before(next) {
			next = a.next
		}
	}
	return next
}

// settle takes in what was found out about a certificate.
func (s *Store) settle(a *asking, p proof, err error, tell Stapled) {
	now, key := time.Now(), sum(a.entry.Certificate)
	if err == nil {
		a.next, a.pause = now.Add(max(p.expiry.Sub(now)/2, stapleRest)), 0
		s.mu.Lock()
		s.staples.proofs[key] = p
		s.publish()
		s.mu.Unlock()
		if a.bad {
			tell(a.entry.File, nil, false, p.expiry)
		}
		a.bad = false
		return
	}
	s.mu.Lock()
	left := s.staples.proofs[key].expiry
	s.mu.Unlock()
	a.pause = min(max(2*a.pause, firstStapleRetry), lastStapleRetry)
	a.next = now.Add(a.pause)
	if left.After(now) && left.Before(a.next) {
		a.next = left // at the latest it is taken off then
	}
	if must := mustStaple(a.entry.Certificate.Leaf); !a.bad || must && !left.After(now) {
		tell(a.entry.File, err, must, left)
	}
	a.bad = true
}

// expire takes off what is no proof any more.
func (s *Store) expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := false
	for key, p := range s.staples.proofs {
		if !p.expiry.After(now) {
			delete(s.staples.proofs, key)
			gone = true
		}
	}
	if gone {
		s.publish()
	}
}
