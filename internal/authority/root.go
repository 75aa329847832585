package authority

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const (
	rootLife  = 10 * 365 * 24 * time.Hour
	rootSpare = 30 * 24 * time.Hour // a root with less than this to live is replaced
	slack     = time.Hour           // by which clocks of clients may be behind
)

// root is who vouches.
type root struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// newRoot makes a root that can vouch for private names alone: who has taken
// its key can be nobody else, even to those who trust it (RFC 5280 §4.2.1.10).
func newRoot(host string, now time.Time) (*root, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot make a key: %w", err)
	}
	name := "rgate internal authority " + now.UTC().Format(time.DateOnly)
	if host != "" {
		name += " " + host
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{Organization: []string{"rgate"}, CommonName: shortened(name)},
		NotBefore:             now.Add(-slack),
		NotAfter:              now.Add(rootLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,

		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         zones,
		PermittedIPRanges:           ipNets(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("cannot make a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("cannot make a certificate: %w", err)
	}
	return &root{certificate, key}, nil
}

// longestCommonName is the bound of RFC 5280, appendix A.1, in characters.
const longestCommonName = 64

func shortened(name string) string { return name[:min(len(name), longestCommonName)] }

// serial is a number that no other certificate has (RFC 5280 §4.1.2.2).
func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}

// pem is the certificate alone.
func (r *root) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.certificate.Raw})
}

// text is a root as a file keeps it: the certificate, then the key.
func (r *root) text() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(r.key)
	if err != nil {
		return nil, err
	}
	return append(r.pem(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), nil
}

// parseRoot reads what text gave.
func parseRoot(text []byte) (*root, error) {
	first, rest := pem.Decode(text)
	second, rest := pem.Decode(rest)
	if first == nil || second == nil || first.Type != "CERTIFICATE" || second.Type != "PRIVATE KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("it does not hold a certificate and then its key, in PEM")
	}
	certificate, err := x509.ParseCertificate(first.Bytes)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(second.Bytes)
	if err != nil {
		return nil, errors.New("its key cannot be read")
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("its key cannot sign")
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !ok || !public.Equal(certificate.PublicKey):
		return nil, errors.New("its certificate and its key do not belong together")
	case !certificate.IsCA || !certificate.PermittedDNSDomainsCritical || len(certificate.PermittedDNSDomains) == 0:
		return nil, errors.New("its certificate is none of an authority for private names")
	}
	return &root{certificate, key}, nil
}

// worn tells whether r has too little left to live.
func (r *root) worn(now time.Time) bool { return now.After(r.certificate.NotAfter.Add(-rootSpare)) }
