package acme

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"

	"rgate/internal/config"
)

// authority is one that certificates are got from. It implements
// certmagic.Issuer. Each attempt has a client of its own, so that one that hangs
// holds up no other.
type authority struct {
	directory string // its URL
	said      *config.ACME
	storage   *certmagic.FileStorage
	way       tripper
	solvers   map[string]acmez.Solver
	log       *slog.Logger
}

// IssuerKey implements certmagic.Issuer: it names what is the authority's in the
// storage.
func (a *authority) IssuerKey() string {
	u, err := url.Parse(a.directory)
	if err != nil {
		return a.directory
	}
	return strings.Trim(u.Host+strings.ReplaceAll(u.Path, "/", "-"), "-")
}

// Issue implements certmagic.Issuer.
func (a *authority) Issue(ctx context.Context, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	client := a.client()
	directory, err := client.GetDirectory(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be reached: %w", a.directory, err)
	}
	if t := tripOf(ctx); t != nil {
		t.mu.Lock()
		t.ordering[directory.NewOrder] = true
		t.mu.Unlock()
	}
	var chains []acme.Certificate
	for range 2 { // again where the account is gone
		var known acme.Account
		if known, err = a.account(ctx, client.Client); err != nil {
			return nil, err
		}
		if chains, err = a.obtain(ctx, client, known, csr); !unknownAccount(err) {
			break
		}
		if gone := a.forget(ctx); gone != nil {
			return nil, errors.Join(err, gone)
		}
	}
	if err == nil && len(chains) == 0 {
		err = errors.New("the authority issued nothing")
	}
	if err != nil {
		return nil, err
	}
	return &certmagic.IssuedCertificate{Certificate: chains[0].ChainPEM, Metadata: chains[0]}, nil
}

func (a *authority) client() *acmez.Client {
	return &acmez.Client{
		Client:           &acme.Client{Directory: a.directory, HTTPClient: a.way.client(), UserAgent: "rgate", Logger: a.log},
		ChallengeSolvers: a.solvers,
	}
}

func (a *authority) obtain(ctx context.Context, client *acmez.Client, known acme.Account, csr *x509.CertificateRequest) ([]acme.Certificate, error) {
	params, err := acmez.OrderParametersFromCSR(known, csr)
	if err != nil {
		return nil, err
	}
	params.Profile = a.said.Profile
	if old := replaced(ctx); old != nil && old.from == a.IssuerKey() {
		params.Replaces = old.leaf
	}
	chains, err := client.ObtainCertificate(ctx, params)
	if params.Replaces != nil && unknownCertificate(err) {
		params.Replaces = nil
		return client.ObtainCertificate(ctx, params)
	}
	return chains, err
}

// unknownCertificate tells whether an authority cannot make sense of what is to
// be replaced, such as one that was set up anew.
func unknownCertificate(err error) bool {
	var p acme.Problem
	return errors.As(err, &p) && (p.Type == acme.ProblemTypeMalformed || p.Type == acme.ProblemTypeAlreadyReplaced)
}

func unknownAccount(err error) bool {
	var p acme.Problem
	return errors.As(err, &p) && p.Type == acme.ProblemTypeAccountDoesNotExist
}

// old is the certificate that an order is to replace, and whose it is: the
// authority it is from lets that pass its limits (RFC 9773 §5).
type old struct {
	leaf *x509.Certificate
	from string
}

type oldKey struct{}

func (o *old) on(ctx context.Context) context.Context { return context.WithValue(ctx, oldKey{}, o) }

func replaced(ctx context.Context) *old {
	o, _ := ctx.Value(oldKey{}).(*old)
	return o
}
