package acme

import (
	"context"
	"crypto/tls"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// Protocol is what an authority that looks for a challenge asks for by ALPN
// (RFC 8737 §4).
const Protocol = acmez.ACMETLS1Protocol

// Challenges are those that an authority may come to look at. All managers of a
// process have them in one.
type Challenges struct {
	pending atomic.Int64 // of both kinds
	mu      sync.Mutex   // never held while anything waits
	tokens  map[string][]byte
	certs   map[string]*tls.Certificate
}

// NewChallenges has none.
func NewChallenges() *Challenges {
	return &Challenges{tokens: map[string][]byte{}, certs: map[string]*tls.Certificate{}}
}

// Key is the answer to HTTP-01 for a token; nil where nobody waits for that.
func (c *Challenges) Key(token []byte) []byte {
	if c.pending.Load() == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tokens[string(token)]
}

// Certificate is the answer to TLS-ALPN-01 for the name of a ClientHello; nil
// where nobody waits for that.
func (c *Challenges) Certificate(name string) *tls.Certificate {
	if c.pending.Load() == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.certs[strings.ToLower(name)]
}

// tokenSolver answers HTTP-01 (RFC 8555 §8.3).
type tokenSolver struct{ *Challenges }

// Present implements acmez.Solver.
func (s tokenSolver) Present(_ context.Context, ch acme.Challenge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens[ch.Token] == nil {
		s.pending.Add(1)
	}
	s.tokens[ch.Token] = []byte(ch.KeyAuthorization)
	return nil
}

// CleanUp implements acmez.Solver.
func (s tokenSolver) CleanUp(_ context.Context, ch acme.Challenge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.tokens[ch.Token]; ok {
		delete(s.tokens, ch.Token)
		s.pending.Add(-1)
	}
	return nil
}

// certSolver answers TLS-ALPN-01 (RFC 8737).
type certSolver struct{ *Challenges }

// Present implements acmez.Solver.
func (s certSolver) Present(_ context.Context, ch acme.Challenge) error {
	c, err := acmez.TLSALPN01ChallengeCert(ch)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := asked(ch.Identifier)
	if s.certs[name] == nil {
		s.pending.Add(1)
	}
	s.certs[name] = c
	return nil
}

// CleanUp implements acmez.Solver.
func (s certSolver) CleanUp(_ context.Context, ch acme.Challenge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name := asked(ch.Identifier); s.certs[name] != nil {
		delete(s.certs, name)
		s.pending.Add(-1)
	}
	return nil
}

// asked is the name by which an authority asks for an identifier: an address has
// none of its own, so it is the one of reverse DNS (RFC 8738 §6).
func asked(id acme.Identifier) string {
	ip, err := netip.ParseAddr(id.Value)
	if id.Type != "ip" || err != nil {
		return strings.ToLower(id.Value)
	}
	var name strings.Builder
	if ip = ip.Unmap(); ip.Is4() {
		b := ip.As4()
		for i := len(b) - 1; i >= 0; i-- {
			name.WriteString(strconv.Itoa(int(b[i])) + ".")
		}
		return name.String() + "in-addr.arpa"
	}
	b := ip.As16()
	for i := len(b) - 1; i >= 0; i-- {
		name.WriteString(strconv.FormatUint(uint64(b[i]&15), 16) + "." + strconv.FormatUint(uint64(b[i]>>4), 16) + ".")
	}
	return name.String() + "ip6.arpa"
}
