package cert

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

func (s spec) entry(t *testing.T, byDefault bool) Entry {
	t.Helper()
	cert, key := s.pems(t)
	c, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return Entry{Certificate: &c, Default: byDefault}
}

func TestWhichCertificate(t *testing.T) {
	shop := spec{hosts: []string{"shop.example.com"}}.entry(t, false)
	wild := spec{hosts: []string{"*.example.com"}}.entry(t, false)
	address := spec{hosts: []string{"127.0.0.1", "::1"}}.entry(t, false)
	other := spec{hosts: []string{"Other.Example"}}.entry(t, true)
	set, strict := NewSet([]Entry{shop, wild, address, other}), NewSet([]Entry{shop, wild})
	for host, want := range map[string]*tls.Certificate{
		"shop.example.com": shop.Certificate, "SHOP.example.com.": shop.Certificate,
		"www.example.com": wild.Certificate, "a.b.example.com": other.Certificate, "example.com": other.Certificate,
		"127.0.0.1": address.Certificate, "::1": address.Certificate, "other.example": other.Certificate, "": other.Certificate,
	} {
		if got := set.For(host); len(got) != 1 || got[0] != want {
			t.Errorf("%q is served %d certificates, or another one", host, len(got))
		}
	}
	for host, want := range map[string]bool{"shop.example.com": true, "x.example.com": true, "x.y.example.com": false, "::1": true, "nobody.test": false, "": false} {
		if got := set.Covers(host); got != want {
			t.Errorf("covers %q: %v", host, got)
		}
	}
	if got := strict.For("nobody.test"); got != nil {
		t.Error("a host that no certificate names is served one")
	}
	for _, test := range []struct {
		asked, host string
		want        bool
	}{
		{"shop.example.com", "Shop.Example.com", true}, {"shop.example.com", "www.example.com", false},
		{"a.example.com", "b.example.com", true}, {"nobody.test", "other.example", true}, {"", "shop.example.com", false},
		{"::1", "0:0:0:0:0:0:0:1", true}, {"127.0.0.1", "::ffff:127.0.0.1", true},
	} {
		if got := serving(shop, wild, address, other).Same(test.asked, test.host); got != test.want {
			t.Errorf("%q and %q: %v", test.asked, test.host, got)
		}
	}
}

// serving is a store of some certificates.
func serving(entries ...Entry) *Store {
	s := &Store{}
	s.set.Store(NewSet(entries))
	return s
}

// handshake is what a client sees of a store.
func handshake(t *testing.T, store *Store, client *tls.Config) (*tls.Certificate, error) {
	t.Helper()
	client.InsecureSkipVerify = true // what is served is looked at
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan struct{})
	go func() {
		defer close(served)
		if c, err := l.Accept(); err == nil {
			s := tls.Server(c, &tls.Config{GetCertificate: store.Certificate})
			_ = s.Handshake()
			_, _ = io.Copy(io.Discard, s)
			_ = s.Close()
		}
	}()
	defer func() { <-served }()
	c, err := tls.Dial("tcp", l.Addr().String(), client)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return &tls.Certificate{Leaf: c.ConnectionState().PeerCertificates[0]}, nil
}

func TestHandshakes(t *testing.T) {
	elliptic := spec{hosts: []string{"a.example"}}.entry(t, false)
	classic := spec{hosts: []string{"a.example"}, rsa: true}.entry(t, false)
	address := spec{hosts: []string{"127.0.0.1"}}.entry(t, false)
	set := serving(classic, elliptic, address)
	rsaOnly := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	for _, test := range []struct {
		name   string
		client *tls.Config
		want   Entry
	}{
		{"the cheaper of two", &tls.Config{ServerName: "a.example"}, elliptic},
		{"one that knows RSA alone", &tls.Config{ServerName: "a.example", MaxVersion: tls.VersionTLS12, CipherSuites: rsaOnly}, classic},
		{"one that names no host", &tls.Config{}, address},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := handshake(t, set, test.client)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Leaf.Equal(test.want.Certificate.Leaf) {
				t.Errorf("it is served a certificate for %v", got.Leaf.DNSNames)
			}
		})
	}
	_, err := handshake(t, set, &tls.Config{ServerName: "b.example"})
	var alert *net.OpError
	if !errors.As(err, &alert) || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("a name that no certificate has: %v", err)
	}
	_, err = handshake(t, serving(elliptic), &tls.Config{ServerName: "a.example", MaxVersion: tls.VersionTLS12, CipherSuites: rsaOnly})
	if err == nil {
		t.Error("a handshake without a cipher that both know")
	}
}
