package listen

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rgate/internal/cert"
	"rgate/internal/config"
	"rgate/internal/trial"
)

func tellTaken(told chan<- bool) func(string, bool, []*cert.Problem) {
	return func(_ string, taken bool, _ []*cert.Problem) { told <- taken }
}

func TestClientFields(t *testing.T) {
	root := trial.NewAuthority(t, t.TempDir(), "root")
	middle := root.Below(t, "middle")
	u, err := url.Parse("spiffe://example/a,b%20c")
	if err != nil {
		t.Fatal(err)
	}
	leaf := middle.Sign(t, &x509.Certificate{
		Subject:        pkix.Name{CommonName: "a\r\nX-Admin: yes", Organization: []string{"Ö, Inc"}},
		DNSNames:       []string{"a.example", "b, DNS:c%2C"},
		IPAddresses:    []net.IP{net.ParseIP("192.0.2.1")},
		EmailAddresses: []string{"a@example.com"},
		URIs:           []*url.URL{u},
	}).Leaf
	encode := func(c *x509.Certificate) string { return ":" + base64.StdEncoding.EncodeToString(c.Raw) + ":" }
	sum := sha256.Sum256(leaf.Raw)
	want := strings.Join([]string{"",
		"Client-Cert: " + encode(leaf),
		"Client-Cert-Chain: " + encode(middle.Cert),
		`X-Client-Cert-Subject: CN=a\0D\0AX-Admin: yes,O=\C3\96\, Inc`,
		"X-Client-Cert-SAN: DNS:a.example, DNS:b%2C%20DNS:c%252C, IP:192.0.2.1, email:a@example.com, URI:spiffe://example/a%2Cb%20c",
		"X-Client-Cert-Fingerprint: " + hex.EncodeToString(sum[:]),
	}, "\r\n")
	if got := string(clientFields([]*x509.Certificate{leaf, middle.Cert, root.Cert})); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	if got := string(clientFields([]*x509.Certificate{leaf})); strings.Contains(got, "Chain") {
		t.Errorf("of one that is trusted itself: %s", got)
	}
}

// Whoever is let in has a certificate for clients, in time, by a chain of an
// authority in the file.
func TestClientsAreVerified(t *testing.T) {
	dir := t.TempDir()
	ca, other := trial.NewAuthority(t, dir, "ca"), trial.NewAuthority(t, dir, "other")
	middle := ca.Below(t, "middle")
	chained := middle.Sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "chained"}})
	chained.Certificate = append(chained.Certificate, middle.Cert.Raw)
	stranger := other.Sign(t, &x509.Certificate{})
	late := ca.Sign(t, &x509.Certificate{NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})
	server := ca.Sign(t, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	good := ca.Sign(t, &x509.Certificate{})
	for _, mode := range []string{config.ClientAuthRequire, config.ClientAuthRequest} {
		s := listener(t, Supply{}, &config.ClientAuth{CA: ca.File, Mode: mode}, "a.example")
		for name, test := range map[string]struct {
			own *tls.Certificate
			in  bool
		}{
			"good": {&good, true}, "by a chain": {&chained, true}, "none": {nil, mode == config.ClientAuthRequest},
			"a stranger's": {&stranger, false}, "expired": {&late, false}, "for servers": {&server, false},
		} {
			for version, v := range versions {
				c := newCaller(v)
				c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					if test.own == nil {
						return &tls.Certificate{}, nil
					}
					return test.own, nil // whatever is asked for
				}
				if _, err := c.call(t, s, "a.example"); (err == nil) != test.in {
					t.Errorf("%s, %s, TLS %s: %v", mode, name, version, err)
				}
			}
		}
	}
}

// With client certificates a connection is for one host.
func TestBelongsWithClients(t *testing.T) {
	ca := trial.NewAuthority(t, t.TempDir(), "ca")
	s := listener(t, Supply{}, &config.ClientAuth{CA: ca.File, Mode: config.ClientAuthRequest}, "a.example", "b.example", "::1")
	for host, want := range map[string]bool{"a.example": true, "A.example.:443": true, "b.example": false, "": true} {
		if s.belongs("a.example", []byte(host)) != want {
			t.Errorf("%q: not %v", host, want)
		}
	}
	if !s.belongs("::1", []byte("[0:0::1]:443")) {
		t.Error("an address in another spelling")
	}
}

func TestClientAuthThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	pem, key := trial.Certificate(t, dir, "c", "a.example")
	ca := trial.NewAuthority(t, dir, "ca")
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	_ = ca
	for path, want := range map[string]string{
		filepath.Join(dir, "none.pem"): "cannot read",
		put("empty.pem", ""):           "holds no certificate",
		put("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"): "certificate number 1 cannot be read",
		dir:      "no regular file",
		pem:      "", // its own, a leaf without constraints: whoever trusts it does
		ca.File:  "",
		key + "": "holds no certificate",
	} {
		at := config.Problem{File: "c.yml", Line: 7, Column: 3}
		_, _, err := OpenTLS(&config.ListenerTLS{Certificates: []config.Certificate{{Cert: pem, Key: key}}, ClientAuth: &config.ClientAuth{CA: path, Mode: config.ClientAuthRequire, Place: at}}, Supply{})
		var problems *config.Problems
		switch {
		case want == "" && err == nil:
		case want == "" || !errors.As(err, &problems) || problems.List[0].Line != 7 || !strings.Contains(problems.List[0].Message, want):
			t.Errorf("%s: %v", path, err)
		}
	}
}
