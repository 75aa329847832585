//go:build pebble

package acme

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"rgate/internal/trial"
)

// A certificate that lives for a minute is renewed, and one that is revoked is
// replaced long before it would be.
func TestRenewalAndRevocation(t *testing.T) {
	c := newCA(t, nil)
	r := c.run(configured(", profile: minute", "a.example", "b.example"))
	roots := c.roots()
	revoked, kept := r.served("a.example", roots, nil), r.served("b.example", roots, nil)
	if life := kept.NotAfter.Sub(kept.NotBefore).Round(10 * time.Second); life != time.Minute {
		t.Errorf("it lives for %v", life)
	}
	began := time.Now()
	c.revoke(r, revoked)
	r.served("a.example", roots, other(revoked))
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("a revoked certificate is replaced after %v", took)
	}
	if _, leaf, err := r.get("b.example", roots); err != nil || time.Since(kept.NotBefore) < 30*time.Second && !leaf.Equal(kept) {
		t.Errorf("the other: %v", err)
	}
	r.served("b.example", roots, other(kept))
	if again := r.served("b.example", roots, nil); time.Since(kept.NotBefore) > time.Minute || again.Equal(kept) {
		t.Error("it was renewed too late")
	}
	if !strings.Contains(c.pebble.String(), "is a replacement of") {
		t.Error("the authority was not told what is replaced (RFC 9773 §5)")
	}
}

// revoke revokes a certificate by its key.
func (c *ca) revoke(r *rgate, leaf *x509.Certificate) {
	c.t.Helper()
	found, err := filepath.Glob(filepath.Join(r.storage, "certificates", "*", leaf.DNSNames[0], leaf.DNSNames[0]+".crt"))
	if err != nil || len(found) != 1 {
		c.t.Fatalf("%v %v", found, err)
	}
	pair, err := tls.LoadX509KeyPair(found[0], strings.TrimSuffix(found[0], ".crt")+".key")
	if err != nil {
		c.t.Fatal(err)
	}
	client := &acme.Client{Directory: c.directory, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}}
	if err := client.RevokeCertificate(c.t.Context(), acme.Account{}, leaf, pair.PrivateKey.(crypto.Signer), acme.ReasonKeyCompromise); err != nil {
		c.t.Fatal(err)
	}
}

// While a hundred certificates change under load no request fails.
func TestAHundredChanges(t *testing.T) {
	c := newCA(t, nil)
	var hosts []string
	for i := range 10 {
		hosts = append(hosts, fmt.Sprintf("h%d.example", i))
	}
	r := c.run(configured("", hosts...))
	roots := c.roots()
	first := map[string]*x509.Certificate{}
	for _, host := range hosts {
		first[host] = r.served(host, roots, nil)
	}
	ctx, stop := context.WithCancel(t.Context())
	var asked, failed atomic.Int64
	var load, changes sync.WaitGroup
	for i := range 4 {
		load.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				host := hosts[n%len(hosts)]
				text, _, err := r.get(host, roots)
				if asked.Add(1); err != nil || !strings.Contains(text, "hello "+host) {
					failed.Add(1)
					t.Logf("%s: %v %q", host, err, text)
				}
			}
		})
	}
	for _, host := range hosts {
		changes.Go(func() {
			for range 10 {
				if text, err := r.command("certs", "renew", host); err != nil {
					t.Errorf("%s: %s", host, text)
				}
			}
		})
	}
	changes.Wait()
	stop()
	load.Wait()
	t.Logf("%d requests, each on a connection of its own", asked.Load())
	if failed.Load() > 0 || asked.Load() < 100 {
		t.Errorf("%d of %d requests failed", failed.Load(), asked.Load())
	}
	for host, leaf := range first {
		r.served(host, roots, other(leaf))
	}
}

// A name that an authority refuses delays no other, and it is said what can be
// done. An authority that dies costs nothing, and one that has forgotten
// everything gets a new account.
func TestAnAuthorityThatRefusesAndDies(t *testing.T) {
	c := newCA(t, nil)
	r := c.run(configured("", "blocked.example", "a.example"))
	leaf := r.served("a.example", c.roots(), nil)
	r.await(t, "no certificate yet", 1)
	if said := r.String(); strings.Count(said, "no certificate yet") != 1 || !strings.Contains(said, "name=blocked.example") || !strings.Contains(said, "take the host out of the routes") {
		t.Error(said)
	}
	text, err := r.command("certs")
	if err != nil || !strings.Contains(text, "none yet: ") || !strings.Contains(text, "Pebble Intermediate CA") {
		t.Errorf("%s %v", text, err)
	}
	if text, err := r.command("certs", "renew", "nobody.example"); err == nil || !strings.Contains(text, "no certificate by ACME has that name") {
		t.Errorf("%s %v", text, err)
	}
	_ = c.pebble.cmd.Process.Kill()
	<-c.pebble.done
	if text, err := r.command("certs", "renew", "a.example"); err == nil || !strings.Contains(text, "connection refused") {
		t.Errorf("%s %v", text, err)
	}
	r.await(t, "the one before is served on", 1)
	r.still("a.example", leaf)
	c.begin()
	if text, err := r.command("certs", "renew", "a.example"); err != nil {
		t.Errorf("%s %v", text, err)
	}
	r.served("a.example", c.roots(), other(leaf))
}

// still holds that a host is served a certificate, whoever vouches for it.
func (r *rgate) still(host string, leaf *x509.Certificate) {
	r.t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.ca.tls), &tls.Config{ServerName: host, RootCAs: roots})
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	if !conn.ConnectionState().PeerCertificates[0].Equal(leaf) {
		r.t.Error("it is another one")
	}
}

// An account is bound to another, and a second authority takes over where the
// first is away.
func TestExternalAccountAndFallback(t *testing.T) {
	c := newCA(t, map[string]any{"externalAccountBindingRequired": true, "externalAccountMACKeys": map[string]string{"kid": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}})
	dead := fmt.Sprintf("https://127.0.0.1:%d/dir", trial.Port(t))
	r := c.run(strings.Replace(configured(`, eab: {key_id: kid, mac_key: zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W}`, "a.example"), `"{dir}"`, `["`+dead+`", "{dir}"]`, 1))
	r.served("a.example", c.roots(), nil)
}

// A name that no route has is got once somebody vouches for it, and no other.
func TestOnDemand(t *testing.T) {
	ask := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Query().Get("domain") != "customer.example" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer ask.Close()
	c := newCA(t, nil)
	r := c.run(strings.Replace(configured(`, on_demand: {ask: "`+ask.URL+`", rate: 1}`), `hosts: [""], `, "", 1))
	roots := c.roots()
	r.served("customer.example", roots, nil)
	for range 3 {
		if _, _, err := r.get("stranger.example", roots); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%v", err)
		}
	}
	if text, err := r.command("certs"); err != nil || strings.Contains(text, "stranger") || !strings.Contains(text, "customer.example") {
		t.Errorf("%s %v", text, err)
	}
}
