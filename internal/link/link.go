package link

import (
	"crypto/tls"
	"sync"
	"sync/atomic"

	"rgate/internal/config"
)

// Link is how the endpoints of a backend are spoken to. Its files are read when
// they are first needed, and again by Watch.
type Link struct {
	backend string
	scheme  config.Scheme
	said    config.EndpointTLS
	proxy   string // the version of the PROXY protocol

	mu     sync.Mutex // held while files are read
	files  glances
	secret atomic.Pointer[secrets] // nil until the files were read
}

// secrets are what the files hold at the moment.
type secrets struct {
	config *tls.Config // to be cloned, for the server's name; nil where they cannot be used
	err    error       // why
}

// New makes the link of a backend; nil for HTTP/1.1 in the clear.
func New(b *config.Backend) *Link {
	if plain(b) {
		return nil
	}
	return &Link{backend: b.Name, scheme: b.Scheme, said: b.TLS, proxy: b.ProxyProtocol}
}

// plain tells whether nothing but HTTP/1.1 is spoken, and in the clear.
func plain(b *config.Backend) bool {
	return !b.Scheme.Secure() && !b.Scheme.HTTP2() && b.ProxyProtocol == ""
}

// Fits tells whether l, which may be nil, is how the endpoints of b are spoken
// to.
func (l *Link) Fits(b *config.Backend) bool {
	if l == nil || plain(b) {
		return l == nil && plain(b)
	}
	return l.scheme == b.Scheme && l.said.Same(b.TLS) && l.proxy == b.ProxyProtocol
}

// Secure tells whether l, which may be nil, is over TLS.
func (l *Link) Secure() bool { return l.Scheme().Secure() }

// HTTP2 tells whether l, which may be nil, is HTTP/2.
func (l *Link) HTTP2() bool { return l.Scheme().HTTP2() }

// Alone tells whether each connection is one client's, as it begins with who that
// is.
func (l *Link) Alone() bool { return l != nil && l.proxy != "" }

// Scheme is what is spoken.
func (l *Link) Scheme() config.Scheme {
	if l == nil {
		return config.SchemeHTTP
	}
	return l.scheme
}

// TLS is what tls.Client wants for an endpoint at an address, whose own name is
// host.
func (l *Link) TLS(host, address string) (*tls.Config, error) {
	s := l.secret.Load()
	if s == nil {
		s = l.read()
	}
	if s.err != nil {
		return nil, s.err
	}
	c := s.config.Clone()
	if c.ServerName == "" {
		c.ServerName = host
	}
	c.ClientSessionCache = scope{c.ClientSessionCache, address}
	return c, nil
}

// scope is a cache for one endpoint, whose sessions no other can resume though
// they have one name.
type scope struct {
	all     tls.ClientSessionCache
	address string
}

// Get implements tls.ClientSessionCache.
func (s scope) Get(key string) (*tls.ClientSessionState, bool) {
	return s.all.Get(s.address + " " + key)
}

// Put implements tls.ClientSessionCache.
func (s scope) Put(key string, state *tls.ClientSessionState) {
	s.all.Put(s.address+" "+key, state)
}
