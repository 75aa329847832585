package cli

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"rgate/internal/trial"
)

// resumes makes a request on a new connection, and tells whether that went on with
// a session.
func (p *process) resumes() bool {
	p.t.Helper()
	conn, err := p.dial()
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	return conn.(*tls.Conn).ConnectionState().DidResume
}

// Sessions outlive reloads and upgrades, and no key of theirs is to be found where
// others could look.
func TestSessionsOutliveReloadsAndUpgrades(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		for version, v := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
			t.Run(engine+" "+version, func(t *testing.T) {
				address := echo(t)
				p, secure := spawnSecured(t, secured(engine, address))
				secure.tls = &tls.Config{InsecureSkipVerify: true, ServerName: "first.example", ClientSessionCache: tls.NewLRUClientSessionCache(0), MinVersion: v, MaxVersion: v}
				conf := secured(engine, address)
				if secure.resumes() || !secure.resumes() {
					t.Fatal("no session is resumed")
				}
				p.reconfigure(strings.Replace(conf, "key: c.key}]", "key: c.key}], hsts: 1h", 1)).want(t, 0, "reloaded\n")
				if !secure.resumes() {
					t.Error("not after a reload")
				}
				for n := range 2 {
					secure.upgrade()
					if !secure.resumes() {
						t.Errorf("not after upgrade %d", n+1)
					}
				}
			})
		}
	}
}

// A file of authorities that is wrong is told of at its place, and one that changes
// is read again.
func TestClientAuth(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			address := echo(t)
			p, secure := spawnSecured(t, secured(engine, address))
			dir := filepath.Dir(p.file)
			asking := strings.Replace(secured(engine, address), "key: c.key}]", "key: c.key}], client_auth: {ca: ca.pem}", 1)
			p.reconfigure(asking).want(t, 2, "cannot read the authorities of clients ", "ca.pem: no such file")
			ca := trial.NewAuthority(t, dir, "ca")
			p.reconfigure(asking).want(t, 0, "reloaded\n")
			secure.tls = &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12} // which tells the client at once
			if _, err := secure.dial(); err == nil {
				t.Error("a client without a certificate was let in")
			}
			own := ca.Sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "me"}})
			secure.tls.Certificates = []tls.Certificate{own}
			secure.serve()
			other := trial.NewAuthority(t, dir, "ca")
			until(t, "the authority before is trusted no more", func() bool { c, err := secure.dial(); closeIf(c, err); return err != nil })
			secure.tls.Certificates = []tls.Certificate{other.Sign(t, &x509.Certificate{})}
			secure.serve()
		})
	}
}

func closeIf(c io.Closer, err error) {
	if err == nil {
		_ = c.Close()
	}
}
