//go:build linux

package conformance

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/netip"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/trial"
)

// forged is what a client says of certificates in its own request, in whatever
// spelling, be it that it has one or not.
const forged = "Client-Cert: :AAAA:\r\nCLIENT-CERT-CHAIN: :AAAA:\r\nX-Client-Cert-Subject: CN=admin\r\nx-client-cert-san: DNS:admin\r\nX-Client-Cert-Fingerprint: 00\r\n" +
	"X-Client-Cert: 1\r\nX-Client-Cert-Verify: SUCCESS\r\nX_Client_Cert_Subject: CN=admin\r\nClient_Cert: :AAAA:\r\nConnection: X-Client-Cert-Subject, close\r\n\r\n"

// certificateFields are the lines of a head that tell of a certificate.
func certificateFields(head string) (lines []string) {
	for _, line := range strings.Split(head, "\r\n") {
		if name := strings.ReplaceAll(strings.ToLower(line), "_", "-"); strings.Contains(name, "client-cert") {
			lines = append(lines, line)
		}
	}
	return lines
}

// What a client says of certificates reaches no endpoint, also where it is a
// trusted proxy and where no certificates are asked for.
func TestNobodySaysWhoseCertificateItIs(t *testing.T) {
	for _, kind := range rig.Engines {
		t.Run(kind, func(t *testing.T) {
			endpoint, seen := heads(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			r := rig.Start(t, kind, func(c *config.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }, endpoint)
			exchange(t, r.Addr, get+host+forged)
			if lines := certificateFields(<-seen); len(lines) > 0 {
				t.Errorf("the endpoint got %q", lines)
			}
		})
	}
}

// Endpoints are told of the certificate that was verified, and of nothing else, also
// where a session is resumed.
func TestEndpointsAreToldOfCertificates(t *testing.T) {
	dir := t.TempDir()
	ca := trial.NewAuthority(t, dir, "ca")
	own := ca.Sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "me"}, DNSNames: []string{"me.example"}})
	cert, key := trial.Certificate(t, dir, "cert", "h")
	sum := sha256.Sum256(own.Leaf.Raw)
	known := []string{
		"Client-Cert: :" + base64.StdEncoding.EncodeToString(own.Leaf.Raw) + ":", "X-Client-Cert-Subject: CN=me",
		"X-Client-Cert-SAN: DNS:me.example", "X-Client-Cert-Fingerprint: " + hex.EncodeToString(sum[:]),
	}
	for _, kind := range rig.Engines {
		t.Run(kind, func(t *testing.T) {
			endpoint, seen := heads(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			r := rig.Start(t, kind, nil, endpoint)
			l := r.ListenAs(t, config.Listener{TLS: &config.ListenerTLS{
				Certificates: []config.Certificate{{Cert: cert, Key: key}},
				ClientAuth:   &config.ClientAuth{CA: ca.File, Mode: config.ClientAuthRequest},
			}})
			sessions := tls.NewLRUClientSessionCache(0)
			for n, test := range []struct {
				own  []tls.Certificate
				want []string
			}{{[]tls.Certificate{own}, known}, {[]tls.Certificate{own}, known}, {nil, nil}} {
				if test.own == nil {
					sessions = nil
				}
				c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: "h", InsecureSkipVerify: true, Certificates: test.own, ClientSessionCache: sessions})
				if err != nil {
					t.Fatal(err)
				}
				if c.ConnectionState().DidResume != (n == 1) {
					t.Errorf("connection %d resumes: %v", n, n != 1)
				}
				_, _ = io.WriteString(c, get+"Host: h\r\n"+forged)
				answer, _ := io.ReadAll(c)
				_ = c.Close()
				if !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
					t.Fatalf("%q", answer)
				}
				if got := certificateFields(<-seen); strings.Join(got, "\n") != strings.Join(test.want, "\n") {
					t.Errorf("connection %d: the endpoint got %q", n, got)
				}
			}
		})
	}
}
