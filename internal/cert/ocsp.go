package cert

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

// What is asked of an OCSP responder (RFC 6960).
const (
	ocspPatience = 10 * time.Second
	maxOCSP      = 64 << 10        // bytes of an answer
	ocspSkew     = 5 * time.Minute // between its clock and ours
	ocspUndated  = time.Hour       // for which an answer is used that does not say for how long it is good
	ocspMimeType = "application/ocsp-request"
)

// proof is that a certificate is not revoked, as its authority says.
type proof struct {
	der    []byte
	from   time.Time
	expiry time.Time
}

// fetch asks the responder that c names about c.
func fetch(ctx context.Context, client *http.Client, c *tls.Certificate, now time.Time) (p proof, err error) {
	issuer, err := issuerOf(c)
	if err != nil {
		return p, err
	}
	question, err := ocsp.CreateRequest(c.Leaf, issuer, nil)
	if err != nil {
		return p, fmt.Errorf("cannot word a question about it: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, ocspPatience)
	defer cancel()
	at := c.Leaf.OCSPServer[0]
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(question))
	if err != nil {
		return p, fmt.Errorf("its responder %q is none: %w", at, err)
	}
	request.Header.Set("Content-Type", ocspMimeType)
	answer, err := client.Do(request)
	if err != nil {
		return p, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return p, fmt.Errorf("%s answers %s", at, answer.Status)
	}
	der, err := io.ReadAll(io.LimitReader(answer.Body, maxOCSP+1))
	switch {
	case err != nil:
		return p, fmt.Errorf("%s breaks off: %w", at, err)
	case len(der) > maxOCSP:
		return p, fmt.Errorf("the answer of %s is larger than %d bytes", at, maxOCSP)
	}
	return prove(der, c.Leaf, issuer, now)
}

// prove takes an answer for what it is: only that of whom clients believe, that the
// certificate is good, now.
func prove(der []byte, leaf, issuer *x509.Certificate, now time.Time) (p proof, err error) {
	r, err := ocsp.ParseResponseForCert(der, leaf, issuer)
	if err != nil {
		return p, fmt.Errorf("the answer of its responder is not good: %w", err)
	}
	p = proof{der: der, from: r.ThisUpdate, expiry: r.NextUpdate}
	if p.expiry.IsZero() {
		p.expiry = now.Add(ocspUndated)
	}
	switch {
	case r.Certificate != nil && !slices.Contains(r.Certificate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return p, errors.New("the answer of its responder is signed by who may not")
	case r.Status == ocsp.Revoked:
		return p, fmt.Errorf("it was revoked on %s", r.RevokedAt.UTC().Format(date))
	case r.Status != ocsp.Good:
		return p, errors.New("its responder does not know it")
	case p.from.After(now.Add(ocspSkew)):
		return p, fmt.Errorf("the answer of its responder is not valid before %s", p.from.UTC().Format(date))
	case !p.expiry.After(now):
		return p, fmt.Errorf("the answer of its responder expired on %s", p.expiry.UTC().Format(date))
	}
	return p, nil
}

// issuerOf is the certificate that follows c's own in its chain.
func issuerOf(c *tls.Certificate) (*x509.Certificate, error) {
	if len(c.Certificate) < 2 {
		return nil, errors.New("its chain lacks the certificate of who signed it")
	}
	issuer, err := x509.ParseCertificate(c.Certificate[1])
	if err != nil {
		return nil, fmt.Errorf("its chain cannot be read: %w", err)
	}
	return issuer, nil
}

// tlsFeature is what a certificate demands of who serves it (RFC 7633).
var tlsFeature = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

// statusRequest is the TLS extension that a staple answers (RFC 6066 §8).
const statusRequest = 5

// mustStaple tells whether clients are to refuse a certificate without a staple.
func mustStaple(leaf *x509.Certificate) bool {
	for _, e := range leaf.Extensions {
		var features []int
		if e.Id.Equal(tlsFeature) {
			if _, err := asn1.Unmarshal(e.Value, &features); err == nil && slices.Contains(features, statusRequest) {
				return true
			}
		}
	}
	return false
}
