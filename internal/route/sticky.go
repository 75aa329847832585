package route

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"rgate/internal/config"
	"rgate/internal/upstream"
)

// Sticky knows the cookie value of each endpoint of a backend. A value is a
// keyed digest of the endpoint's name: it tells a client nothing and cannot
// be made up.
type Sticky struct {
	Cookie string
	secret []byte
	tokens map[string]*upstream.Endpoint
	values map[*upstream.Endpoint]string
}

func newSticky(c config.Sticky, eps []*upstream.Endpoint, prev *Sticky) *Sticky {
	if c.Cookie == "" {
		return nil
	}
	s := &Sticky{Cookie: c.Cookie, secret: []byte(c.Secret), tokens: map[string]*upstream.Endpoint{}, values: map[*upstream.Endpoint]string{}}
	switch {
	case c.Secret != "":
	case prev != nil:
		s.secret = prev.secret
	default:
		s.secret = make([]byte, 32)
		rand.Read(s.secret) // never fails (crypto/rand)
	}
	for _, e := range eps {
		mac := hmac.New(sha256.New, s.secret)
		mac.Write([]byte(e.Backend + "\x00" + e.Name))
		token := hex.EncodeToString(mac.Sum(nil)[:16])
		s.tokens[token] = e
		s.values[e] = token
	}
	return s
}

// Find is the endpoint a cookie value belongs to, or nil.
func (s *Sticky) Find(value []byte) *upstream.Endpoint { return s.tokens[string(value)] }

// Value is the cookie value of e.
func (s *Sticky) Value(e *upstream.Endpoint) string { return s.values[e] }
