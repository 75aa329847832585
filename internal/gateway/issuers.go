package gateway

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"rgate/internal/acme"
	"rgate/internal/authority"
	"rgate/internal/cert"
	"rgate/internal/config"
)

// issuers are who has the certificates that no file has, each made when a
// listener wants it first and kept to the end.
type issuers struct {
	mu       sync.Mutex
	internal *authority.Authority
}

// issue has the issuer of what no file of a listener has a certificate for.
func (g *Gateway) issue(said *config.ListenerTLS) (cert.Issuer, error) {
	var all cert.Issuers
	if said.ACME != nil {
		m, err := g.managed(said.ACME)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	if said.Internal {
		a, err := g.openAuthority()
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

// openAuthority is rgate's own authority.
func (g *Gateway) openAuthority() (*authority.Authority, error) {
	g.issuers.mu.Lock()
	defer g.issuers.mu.Unlock()
	if g.issuers.internal != nil {
		return g.issuers.internal, nil
	}
	dir := cert.StateDir(g.options.Config.StateDir, os.Geteuid(), g.env)
	a, kept, err := authority.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("there is no authority for `tls: internal`: %w", err)
	}
	if kept != nil {
		g.log.Warn("the authority behind `tls: internal` lives in memory: after a restart or an upgrade it is another one, which clients have to trust anew; state_dir says where to keep it", "error", kept)
	} else {
		root := a.Root()
		g.log.Info("certificates for private names are vouched for by rgate's own authority; `rgate ca` prints what clients have to trust", "file", root.File, "until", root.NotAfter)
	}
	g.issuers.internal = a
	return a, nil
}

// Root is the certificate of rgate's own authority; not ok where no listener
// wants it.
func (g *Gateway) Root() (root authority.Root, ok bool) {
	g.issuers.mu.Lock()
	defer g.issuers.mu.Unlock()
	if g.issuers.internal == nil {
		return authority.Root{}, false
	}
	return g.issuers.internal.Root(), true
}

// Vouches tells of which kind a certificate is that what said asks for beside
// files will have for a host of a route, or why it has none. It is a
// listen.Vouch.
func Vouches(said *config.ListenerTLS, host string) (kind, why string) {
	var reasons []string
	if said.ACME != nil {
		names, without := acme.Names([]string{host}, said.ACME)
		if len(names) > 0 {
			return cert.KindACME, ""
		}
		reasons = append(reasons, "by ACME it cannot be got: "+without[host])
	}
	if said.Internal {
		if authority.Private(strings.Trim(strings.TrimPrefix(host, "*."), "[]")) {
			return cert.KindInternal, ""
		}
		reasons = append(reasons, "`internal` is for private names alone, such as `shop.internal`")
	}
	return "", strings.Join(reasons, "; ")
}
