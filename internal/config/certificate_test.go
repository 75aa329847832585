package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const withTLS = `
listeners:
  - {address: ":8443", tls: {certificates: [{cert: a.pem, key: /etc/a.key, default: true}, {cert: sub/b.pem, key: b.key}], min_version: 1.3, hsts: 8760h}}
  - {address: ":8444", tls: {certificates: [{cert: a.pem, key: a.key}]}}
  - {address: ":8445", redirect: https}
routes: [{path_prefix: /, backend: web}]
backends: [{name: web, endpoints: ["10.1.2.3:80"]}]
`

func TestCertificates(t *testing.T) {
	cfg, err := Parse("/etc/rgate/config.yml", []byte(withTLS), nil)
	if err != nil {
		t.Fatal(err)
	}
	first, second := cfg.Listeners[0].TLS, cfg.Listeners[1].TLS
	want := &ListenerTLS{MinVersion: TLS13, Offers: H1 | H2, HSTS: 8760 * time.Hour, Certificates: []Certificate{
		{Cert: "/etc/rgate/a.pem", Key: "/etc/a.key", Default: true}, {Cert: "/etc/rgate/sub/b.pem", Key: "/etc/rgate/b.key"},
	}}
	if diff := cmp.Diff(want, first, cmpopts.IgnoreTypes(Problem{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if at := first.Certificates[1].KeyPlace; at.Line != 3 || at.Column != 115 || at.Span != 5 {
		t.Errorf("its key is at %s, for %d characters", at.Place(), at.Span)
	}
	if second.MinVersion != TLS12 || cfg.Listeners[2].TLS != nil || cfg.Listeners[2].Redirect != RedirectHTTPS {
		t.Errorf("the others: %+v, %+v", second, cfg.Listeners[2].TLS)
	}
	moved, err := Parse("/etc/rgate/config.yml", []byte("\n\n"+withTLS), nil)
	if err != nil {
		t.Fatal(err)
	}
	var none *ListenerTLS
	if !first.Same(moved.Listeners[0].TLS) || first.Same(second) || first.Same(none) || !none.Same(nil) {
		t.Error("what is the same is not told from what is not")
	}
}
