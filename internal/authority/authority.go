package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"rgate/internal/cert"
)

const (
	leafLife  = 7 * 24 * time.Hour
	leafSpare = 2 * 24 * time.Hour // a certificate with less than this to live is replaced
)

// maxLeaves bounds the certificates that are kept: a stranger may ask for as
// many names as there are. Beyond that some other is forgotten, and made anew
// when it is asked for.
const maxLeaves = 1000

// Authority makes certificates for private names. It is a cert.Issuer.
type Authority struct {
	root *root
	file string // "" in memory
	now  func() time.Time

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

// Open has the authority that is kept below a state directory, or keeps a new
// one there. Where there is no such directory, and none can be made, the
// authority lives in memory, and kept says why.
func Open(stateDir string) (a *Authority, kept error, err error) {
	file := File(stateDir)
	r, err := keep(file, hostname(), time.Now())
	if errors.Is(err, errNoRoom) || errors.Is(err, os.ErrPermission) {
		a, fresh := InMemory()
		return a, err, fresh
	}
	if err != nil {
		return nil, nil, err
	}
	return newAuthority(r, file), nil, nil
}

// InMemory is an authority that ends with the process.
func InMemory() (*Authority, error) {
	r, err := newRoot(hostname(), time.Now())
	if err != nil {
		return nil, err
	}
	return newAuthority(r, ""), nil
}

func newAuthority(r *root, file string) *Authority {
	return &Authority{root: r, file: file, now: time.Now, leaves: map[string]*tls.Certificate{}}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// Root is the certificate that clients have to trust.
type Root struct {
	PEM      string    `json:"pem"`
	File     string    `json:"file"` // where it is kept, with its key; "" for in memory
	Name     string    `json:"name"`
	NotAfter time.Time `json:"not_after"`
}

// Root is what there is to trust of a.
func (a *Authority) Root() Root { return a.root.shown(a.file) }

func (r *root) shown(file string) Root {
	return Root{PEM: string(r.pem()), File: file, Name: r.certificate.Subject.CommonName, NotAfter: r.certificate.NotAfter}
}

// ReadRoot is the root that is kept below a state directory; fs.ErrNotExist for
// none.
func ReadRoot(stateDir string) (Root, error) {
	file := File(stateDir)
	r, err := readRoot(file)
	if err != nil {
		return Root{}, err
	}
	return r.shown(file), nil
}

// Covers implements cert.Issuer.
func (a *Authority) Covers(host string) bool { return Private(host) }

// Same implements cert.Issuer. Who names no host, as none does that asks for an
// address, is served by the address it came to, whichever it asked for: rgate
// may be behind a port of another machine.
func (a *Authority) Same(asked, host string) bool {
	asked, host = cert.Normal(asked), cert.Normal(host)
	return asked == host || Private(host) && (isAddress(asked) && isAddress(host) || slices.Contains(names(asked), host))
}

func isAddress(host string) bool { _, err := netip.ParseAddr(host); return err == nil }

// names are those of the certificate for a host. One for an address is one for
// this machine from inside, too: the address may be that of a container, whose
// port is published as another's.
func names(host string) []string {
	if host != "localhost" && !isAddress(host) {
		return []string{host}
	}
	list := []string{host}
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if name != host {
			list = append(list, name)
		}
	}
	return list
}

// Certificate implements cert.Issuer. It takes some 100 µs where there is none
// yet, or none with enough of its time left.
func (a *Authority) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := cert.Asked(hello)
	if !Private(host) {
		return nil, nil
	}
	now := a.now()
	if c := a.have(host); c != nil && fresh(c.Leaf, now) {
		return c, nil
	}
	c, err := a.issue(host, now)
	if err != nil {
		return nil, fmt.Errorf("cannot make a certificate for %s: %w", host, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.leaves) >= maxLeaves && a.leaves[host] == nil {
		for name := range a.leaves { // any
			delete(a.leaves, name)
			break
		}
	}
	a.leaves[host] = c
	return c, nil
}

func (a *Authority) have(host string) *tls.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.leaves[host]
}

func fresh(leaf *x509.Certificate, now time.Time) bool {
	return now.After(leaf.NotBefore) && now.Before(leaf.NotAfter.Add(-leafSpare))
}

// issue makes a certificate. Its subject has no common name, which some would
// hold to the constraints of the root though it is no host.
func (a *Authority) issue(host string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{Organization: []string{"rgate"}},
		NotBefore:    now.Add(-slack),
		NotAfter:     now.Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		BasicConstraintsValid: true,
	}
	for _, name := range names(host) {
		if ip, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, ip.AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.root.certificate, key.Public(), a.root.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// List implements cert.Issuer.
func (a *Authority) List() []cert.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]cert.Status, 0, len(a.leaves))
	for _, c := range a.leaves {
		list = append(list, cert.Status{
			Names: cert.Names(c), Kind: cert.KindInternal, Issuer: a.root.certificate.Subject.CommonName,
			NotAfter: c.Leaf.NotAfter, Renewal: c.Leaf.NotAfter.Add(-leafSpare),
		})
	}
	slices.SortFunc(list, func(x, y cert.Status) int { return slices.Compare(x.Names, y.Names) })
	return list
}
