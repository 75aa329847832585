package cert

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// responder is an authority with an OCSP responder.
type responder struct {
	t      *testing.T
	server *httptest.Server
	cert   *x509.Certificate
	key    crypto.Signer

	mu     sync.Mutex
	answer ocsp.Response // what it says; SerialNumber is put in
	status int           // of HTTP; 0 answers
	asked  int
}

func newResponder(t *testing.T) *responder {
	t.Helper()
	r := &responder{t: t, answer: ocsp.Response{Status: ocsp.Good, ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour)}}
	r.key = newKey(t)
	r.cert = r.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, r.key)
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (r *responder) sign(template *x509.Certificate, key crypto.Signer) *x509.Certificate {
	r.t.Helper()
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent := template
	if r.cert != nil {
		parent = r.cert
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), r.key)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// pair is the files of a certificate for a.example that names r.
func (r *responder) pair(dir string, extra ...pkix.Extension) Pair {
	r.t.Helper()
	key := newKey(r.t)
	leaf := r.sign(&x509.Certificate{DNSNames: []string{"a.example"}, OCSPServer: r.urls(), ExtraExtensions: extra}, key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		r.t.Fatal(err)
	}
	p := Pair{Cert: filepath.Join(dir, "a.pem"), Key: filepath.Join(dir, "a.key")}
	var chain bytes.Buffer
	for _, c := range []*x509.Certificate{leaf, r.cert} {
		_ = pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	for path, text := range map[string][]byte{p.Cert: chain.Bytes(), p.Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	return p
}

func (r *responder) set(change func(*responder)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

func (r *responder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	text, _ := io.ReadAll(q.Body)
	question, err := ocsp.ParseRequest(text)
	if err != nil || q.Header.Get("Content-Type") != ocspMimeType {
		r.t.Errorf("a question that is none: %v", err)
		return
	}
	answer := r.answer
	if answer.SerialNumber == nil {
		answer.SerialNumber = question.SerialNumber
	}
	signer, key := r.cert, r.key
	if answer.Certificate != nil {
		signer, key = answer.Certificate, newKey(r.t)
		signer = r.sign(&x509.Certificate{ExtKeyUsage: signer.ExtKeyUsage}, key)
		answer.Certificate = signer
	}
	der, err := ocsp.CreateResponse(r.cert, signer, answer, key)
	if err != nil {
		r.t.Error(err)
	}
	_, _ = w.Write(der)
}

// shake is what a client of s is given with the certificate.
func shake(t *testing.T, s *Store) []byte {
	t.Helper()
	here, there := net.Pipe()
	defer there.Close()
	go func() {
		defer here.Close()
		_ = tls.Server(here, &tls.Config{GetCertificate: s.Certificate}).Handshake()
	}()
	c := tls.Client(there, &tls.Config{ServerName: "a.example", InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	return c.OCSPResponse()
}

type told struct {
	err  error
	must bool
	left time.Time
}

// staple opens p and keeps its staple until the test ends. What is told comes out
// of the channel.
func staple(t *testing.T, p Pair) (*Store, chan told) {
	t.Helper()
	s, problems := Open([]Pair{p}, nil)
	if s == nil {
		t.Fatal(problems)
	}
	ctx, stop := context.WithCancel(t.Context())
	heard, ended := make(chan told, 8), make(chan struct{})
	go func() {
		defer close(ended)
		s.Staple(ctx, func(_ string, err error, must bool, left time.Time) { heard <- told{err, must, left} })
	}()
	t.Cleanup(func() { stop(); <-ended })
	return s, heard
}

func stapled(t *testing.T, s *Store, want bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); (len(shake(t, s)) > 0) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("a staple: not %v", want)
		}
	}
}

func TestStaple(t *testing.T) {
	r, dir := newResponder(t), t.TempDir()
	s, heard := staple(t, r.pair(dir))
	stapled(t, s, true)
	if answer, err := ocsp.ParseResponse(shake(t, s), r.cert); err != nil || answer.Status != ocsp.Good {
		t.Errorf("%v, %v", answer, err)
	}
	first := shake(t, s)
	r.pair(dir) // another certificate comes
	s.refresh(func(Pair, bool, []*Problem) {})
	s.refresh(func(Pair, bool, []*Problem) {})
	for end := time.Now().Add(20 * time.Second); len(shake(t, s)) == 0 || bytes.Equal(shake(t, s), first); {
		if time.Now().After(end) {
			t.Fatal("the new certificate gets no staple of its own")
		}
	}
	s.mu.Lock()
	if n := len(s.staples.proofs); n != 1 {
		t.Errorf("%d staples of one certificate", n)
	}
	s.mu.Unlock()
	select {
	case said := <-heard:
		t.Errorf("told %v of what is well", said)
	default:
	}
}

// What is no proof is not served.
func TestWhatIsNoStaple(t *testing.T) {
	later, before := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for name, test := range map[string]struct {
		change func(*responder)
		want   string
	}{
		"revoked":       {func(r *responder) { r.answer.Status, r.answer.RevokedAt = ocsp.Revoked, before }, "it was revoked on"},
		"unknown":       {func(r *responder) { r.answer.Status = ocsp.Unknown }, "does not know it"},
		"of later":      {func(r *responder) { r.answer.ThisUpdate, r.answer.NextUpdate = later, later.Add(time.Hour) }, "not valid before"},
		"of before":     {func(r *responder) { r.answer.ThisUpdate, r.answer.NextUpdate = before, before }, "expired on"},
		"of another":    {func(r *responder) { r.answer.SerialNumber = big.NewInt(7) }, "not good"},
		"not signed":    {func(r *responder) { r.key = newKey(r.t) }, "not good"},
		"by who is not": {func(r *responder) { r.answer.Certificate = &x509.Certificate{} }, "signed by who may not"},
		"none":          {func(r *responder) { r.status = 500 }, "answers 500"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newResponder(t)
			p := r.pair(t.TempDir())
			test.change(r)
			s, heard := staple(t, p)
			if said := <-heard; said.err == nil || !strings.Contains(said.err.Error(), test.want) || said.must || !said.left.IsZero() {
				t.Errorf("told %+v", said)
			}
			stapled(t, s, false)
		})
	}
	t.Run("by whom the authority named", func(t *testing.T) {
		r := newResponder(t)
		r.answer.Certificate = &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}}
		s, _ := staple(t, r.pair(t.TempDir()))
		stapled(t, s, true)
	})
}

// While the responder is away the staple stays, until it expires.
func TestStapleOutlivesItsResponder(t *testing.T) {
	r := newResponder(t)
	s, problems := Open([]Pair{r.pair(t.TempDir())}, nil)
	if s == nil {
		t.Fatal(problems)
	}
	all := map[[32]byte]*asking{}
	s.recount(all)
	var heard []told
	ask := func() {
		for _, a := range all {
			a.next = time.Time{}
		}
		s.ask(t.Context(), http.DefaultClient, all, func(_ string, err error, must bool, left time.Time) { heard = append(heard, told{err, must, left}) })
	}
	ask()
	r.set(func(r *responder) { r.status = http.StatusServiceUnavailable })
	ask()
	ask()
	if len(shake(t, s)) == 0 || len(heard) != 1 || heard[0].err == nil || heard[0].left.IsZero() {
		t.Errorf("while it is away: %v", heard)
	}
	s.expire(time.Now().Add(2 * time.Hour))
	if len(shake(t, s)) > 0 {
		t.Error("it is served when it has expired")
	}
	r.set(func(r *responder) { r.status = 0 })
	ask()
	if len(shake(t, s)) == 0 || len(heard) != 2 || heard[1].err != nil {
		t.Errorf("when it is back: %v", heard)
	}
	for _, a := range all {
		if wait := time.Until(a.next); wait < 25*time.Minute || wait > 30*time.Minute {
			t.Errorf("it is asked again in %v", wait)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestMustStaple(t *testing.T) {
	must := pkix.Extension{Id: tlsFeature, Value: []byte{0x30, 3, 2, 1, 5}}
	r := newResponder(t)
	p := r.pair(t.TempDir(), must)
	r.status = 500
	_, heard := staple(t, p)
	if said := <-heard; !said.must {
		t.Errorf("told %+v", said)
	}
	r.server.URL = ""
	p = r.pair(t.TempDir(), must)
	if c, problems := Load(p, time.Now()); c == nil || len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Text, "Must-Staple") {
		t.Errorf("%v", problems)
	}
}

func (r *responder) urls() []string {
	if r.server.URL == "" {
		return nil
	}
	return []string{r.server.URL}
}
