package link

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rgate/internal/cert"
	"rgate/internal/config"
	"rgate/internal/rig/ends"
	"rgate/internal/trial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair reads a certificate's files.
func pair(t *testing.T, cert, key string) tls.Certificate {
	t.Helper()
	c, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve is an endpoint that serves by cfg, and talks once it has shaken hands.
func serve(t *testing.T, cfg *tls.Config, talk func(*tls.Conn)) string {
	t.Helper()
	return ends.Talk(t, func(c net.Conn, _ *bufio.Reader) {
		s := tls.Server(c, cfg)
		if s.Handshake() == nil && talk != nil {
			talk(s)
		}
	})
}

// connect speaks to address as said says.
func connect(t *testing.T, l *Link, address string) (*Conn, error) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), ends.Patience)
	defer cancel()
	host, _, _ := net.SplitHostPort(address)
	c, err := l.Encrypt(ctx, conn, host)
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

func secure(said config.EndpointTLS) *Link {
	return New(&config.Backend{Name: "b", Scheme: config.SchemeHTTPS, TLS: said})
}

// Each thing that can be wrong with an endpoint is told with what helps.
func TestWhatIsWrongIsSaid(t *testing.T) {
	dir := t.TempDir()
	crt, key := trial.Certificate(t, dir, "good", "api.internal")
	other, otherKey := trial.Certificate(t, dir, "other", "elsewhere.internal")
	good := &tls.Config{Certificates: []tls.Certificate{pair(t, crt, key)}}
	strangers := good.Clone()
	strangers.ClientAuth = tls.RequireAnyClientCert
	picky := good.Clone()
	picky.NextProtos = []string{"acme-tls/1"}
	old := good.Clone()
	old.MaxVersion, old.MinVersion = tls.VersionTLS11, tls.VersionTLS10
	nameless := &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }}
	trusting := config.EndpointTLS{CA: crt, ServerName: "api.internal"}
	for name, c := range map[string]struct {
		server *tls.Config
		said   config.EndpointTLS
		want   string // "" for nothing
	}{
		"all is well":         {good, trusting, ""},
		"nobody is asked":     {good, config.EndpointTLS{Unverified: true}, ""},
		"unknown authority":   {good, config.EndpointTLS{ServerName: "api.internal"}, "`ca` of the backend's `tls`"},
		"another name":        {good, config.EndpointTLS{CA: crt, ServerName: "shop.internal"}, "for api.internal, and not for shop.internal"},
		"an address":          {good, config.EndpointTLS{CA: crt}, "`server_name` of the backend's `tls`"},
		"another certificate": {&tls.Config{Certificates: []tls.Certificate{pair(t, other, otherKey)}}, trusting, "for elsewhere.internal"},
		"another protocol":    {picky, trusting, "what scheme https asks for"},
		"old TLS":             {old, trusting, "no TLS 1.2 or later"},
		"no such name":        {nameless, trusting, "no certificate for api.internal"},
		"wants a certificate": {strangers, trusting, "`cert` and `key` of the backend's `tls`"},
		"gets a certificate":  {strangers, config.EndpointTLS{CA: crt, ServerName: "api.internal", Cert: other, Key: otherKey}, ""},
		"no file":             {good, config.EndpointTLS{CA: dir + "/none.pem"}, "none.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, c.server, func(s *tls.Conn) { _, _ = io.WriteString(s, "hello") })
			conn, err := connect(t, secure(c.said), address)
			if err == nil { // that a certificate is wanted is only told after the handshake
				_, err = conn.Read(make([]byte, 5))
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// So is what speaks no TLS at all.
func TestWhatIsNotTLSIsSaid(t *testing.T) {
	trusting := config.EndpointTLS{ServerName: "api.internal"}
	t.Run("no TLS", func(t *testing.T) {
		address := ends.Talk(t, func(c net.Conn, _ *bufio.Reader) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") })
		if _, err := connect(t, secure(trusting), address); err == nil || !strings.Contains(err.Error(), "scheme: http") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a close", func(t *testing.T) {
		address := ends.Talk(t, func(c net.Conn, in *bufio.Reader) { _, _ = in.Peek(1); _, _ = in.Discard(in.Buffered()) })
		if _, err := connect(t, secure(trusting), address); err == nil || !strings.Contains(err.Error(), "does it speak TLS on this port") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("silence", func(t *testing.T) {
		address := ends.Talk(t, func(c net.Conn, in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) })
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, err = secure(trusting).Encrypt(ctx, conn, "127.0.0.1")
		var late net.Error
		if !errors.As(err, &late) || !late.Timeout() {
			t.Errorf("got %v", err)
		}
	})
}

// Sessions are resumed at the endpoint that they were made with, and not after
// the files have changed.
func TestSessionsAreResumed(t *testing.T) {
	crt, key := trial.Certificate(t, t.TempDir(), "a", "api.internal")
	cfg := &tls.Config{Certificates: []tls.Certificate{pair(t, crt, key)}}
	address := serve(t, cfg, func(s *tls.Conn) { _, _ = io.WriteString(s, "x"); _, _ = s.Read(make([]byte, 1)) })
	l := secure(config.EndpointTLS{CA: crt, ServerName: "api.internal"})
	resumed := func() bool {
		c, err := connect(t, l, address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Read(make([]byte, 1)) // and the ticket before that
		defer c.Close()
		return c.ConnectionState().DidResume
	}
	if resumed() || !resumed() {
		t.Error("the second connection is to resume the first one's session")
	}
	l.secret.Store(nil)
	if resumed() {
		t.Error("a session outlived the files it was made by")
	}
}

// A connection is silent though tickets have come, and is not once anything else
// has.
func TestLook(t *testing.T) {
	crt, key := trial.Certificate(t, t.TempDir(), "a", "api.internal")
	cfg := &tls.Config{Certificates: []tls.Certificate{pair(t, crt, key)}}
	told := make(chan func(*tls.Conn))
	address := serve(t, cfg, func(s *tls.Conn) {
		for do := range told {
			do(s)
		}
	})
	c, err := connect(t, secure(config.EndpointTLS{CA: crt, ServerName: "api.internal"}), address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Unix(1, 0)) // as an exchange leaves it
	for range 3 {
		if silent, ended := c.Look(); !silent || ended {
			t.Fatalf("with its tickets, silent %v, ended %v", silent, ended)
		}
	}
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	told <- func(s *tls.Conn) { _, _ = io.WriteString(s, "answer and more") }
	if n, err := c.Read(make([]byte, 6)); n != 6 || err != nil {
		t.Fatal(n, err)
	}
	if silent, ended := c.Look(); silent || ended {
		t.Errorf("with bytes that were decrypted already, silent %v, ended %v", silent, ended)
	}
	if _, err := io.ReadFull(c, make([]byte, 8)); err != nil { // Look took one
		t.Fatal(err)
	}
	if silent, _ := c.Look(); !silent {
		t.Error("it is not silent though all was read")
	}
	told <- func(s *tls.Conn) { _ = s.CloseWrite() }
	ends.Until(t, "its end is seen", func() bool { _, ended := c.Look(); return ended })
	close(told)
}

// Files are read again that change, and what was there before stays where they
// cannot be used.
func TestFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	crt, _ := trial.Certificate(t, dir, "ca", "api.internal")
	l := secure(config.EndpointTLS{CA: crt})
	roots := func() *x509.CertPool {
		c, err := l.TLS("a", "b")
		if err != nil {
			t.Fatal(err)
		}
		return c.RootCAs
	}
	first := roots()
	ctx, cancel := context.WithCancel(context.Background())
	heard, ended := make(chan bool), make(chan struct{})
	go func() {
		defer close(ended)
		l.Watch(ctx, time.Millisecond, func(_ string, used bool, _ []*cert.Problem) { heard <- used })
	}()
	defer func() { cancel(); <-ended }()
	if err := os.WriteFile(crt, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if <-heard || !roots().Equal(first) {
		t.Error("nonsense is used")
	}
	trial.Certificate(t, dir, "ca", "api.internal")
	for !<-heard { // the old file's name may be looked at while the new one is written
	}
	if roots().Equal(first) {
		t.Error("the new file is not used")
	}
}

// What a file asks for and cannot be had is found where it stands.
func TestCheck(t *testing.T) {
	crt, key := trial.Certificate(t, t.TempDir(), "a", "api.internal")
	at := config.Problem{Line: 7}
	check := func(said config.EndpointTLS) ([]config.Problem, error) {
		said.Place, said.CAPlace, said.CertPlace, said.KeyPlace = at, at, at, at
		return Check(&config.Config{Backends: []config.Backend{{Name: "b", Scheme: config.SchemeHTTPS, TLS: said}}})
	}
	if warnings, err := check(config.EndpointTLS{CA: crt, Cert: crt, Key: key}); err != nil || warnings != nil {
		t.Errorf("got %v, %v", warnings, err)
	}
	if warnings, err := check(config.EndpointTLS{Unverified: true}); err != nil || len(warnings) != 1 || warnings[0].Line != 7 {
		t.Errorf("got %v, %v", warnings, err)
	}
	_, err := check(config.EndpointTLS{CA: key, Cert: key, Key: crt})
	var problems *config.Problems
	if !errors.As(err, &problems) || len(problems.List) != 2 || problems.List[0].Line != 7 {
		t.Errorf("got %v", err)
	}
}
