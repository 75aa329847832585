package listen

import (
	"strings"

	"rgate/internal/cert"
)

// Choice is which certificate is served to who asks for a host; the zero one is
// none.
type Choice struct {
	Kind   string   // as of cert.Status
	File   string   // cert.KindFile: its path
	Hosts  []string // cert.KindFile: its names
	Others bool     // it does not name the host, and is served by default
}

// Chosen is which certificate t serves to who asks for a host. vouch tells who
// has those that no file has.
func (t *TLS) Chosen(host string, vouch Vouch) Choice {
	if found, ok := t.certs.Named(host); ok {
		return Choice{Kind: cert.KindFile, File: found.File, Hosts: found.Names}
	}
	if kind, _ := vouch(t.said, host); kind != "" {
		return Choice{Kind: kind}
	}
	if found, ok := t.certs.Fallback(); ok {
		return Choice{Kind: cert.KindFile, File: found.File, Hosts: found.Names, Others: true}
	}
	return Choice{}
}

// Names tells whether it is a certificate for the host that was asked for.
func (c Choice) Names() bool { return c.Kind != "" && !c.Others }

// Same tells whether c and other, for another host, are one certificate. Those
// that are made are for one host each.
func (c Choice) Same(other Choice) bool {
	return c.Kind == cert.KindFile && other.Kind == cert.KindFile && c.File == other.File
}

// String is c in words.
func (c Choice) String() string {
	switch {
	case c.Others:
		return c.File + " (" + strings.Join(c.Hosts, ", ") + "), which is served by default"
	case c.Kind == cert.KindFile:
		return c.File + " (" + strings.Join(c.Hosts, ", ") + ")"
	case c.Kind == cert.KindInternal:
		return "one of rgate's own authority, for this name"
	case c.Kind == cert.KindACME:
		return "one that is got by ACME, for this name"
	}
	return "none"
}
