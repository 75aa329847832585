//go:build pebble

package acme

import (
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// configured is a configuration with more keys of acme, for hosts.
func configured(more string, hosts ...string) string {
	return `
listeners:
  - {address: "127.0.0.1:{http}", redirect: https}
  - {address: "127.0.0.1:{tls}", tls: {acme: {directory: "{dir}", ca: "{ca}", storage: "{storage}"` + more + `}}}
routes: [{hosts: ["` + strings.Join(hosts, `", "`) + `"], path_prefix: /, backend: b}]`
}

// By each challenge alone, in both engines.
func TestChallengesOfAnAuthority(t *testing.T) {
	c := newCA(t, nil)
	for _, engine := range []string{"loop", "standard"} {
		for _, challenge := range []string{"http-01", "tls-alpn-01"} {
			t.Run(engine+" "+challenge, func(t *testing.T) {
				c.t = t
				r := c.run("engine: " + engine + configured(", challenges: ["+challenge+"]", "a.example"))
				r.served("a.example", c.roots(), nil)
				if text := c.pebble.String(); !strings.Contains(text, "set VALID") {
					t.Error(text)
				}
				r.guarded()
				r.end(t)
			})
		}
	}
}

// guarded holds that nobody else reads the storage.
func (r *rgate) guarded() {
	r.t.Helper()
	keys := 0
	err := filepath.Walk(r.storage, func(path string, info os.FileInfo, err error) error {
		switch {
		case err != nil:
			return err
		case info.IsDir() && info.Mode().Perm() != 0o700, !info.IsDir() && info.Mode().Perm() != 0o600 && !strings.HasSuffix(path, ".lock"):
			r.t.Errorf("%s has mode %04o", path, info.Mode().Perm())
		}
		if strings.HasSuffix(path, ".key") {
			keys++
		}
		return nil
	})
	if err != nil || keys < 2 {
		r.t.Errorf("%d keys, %v", keys, err)
	}
}

// With three lines, the first answer comes within five seconds of the start.
func TestFirstAnswer(t *testing.T) {
	c := newCA(t, nil)
	r := c.run(configured("", "a.example", "*.wild.example"))
	began := time.Now()
	r.served("a.example", c.roots(), nil)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	r.await(t, `host=*.wild.example reason="a wildcard can be had by the challenge dns-01 alone"`, 1)
	// The host is redirected to where it is served.
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.http))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprint(conn, "GET /.well-known/acme-challenge/unknown HTTP/1.1\r\nHost: a.example\r\n\r\n")
	head := make([]byte, 12)
	if _, err := conn.Read(head); err != nil || string(head) != "HTTP/1.1 308" {
		t.Errorf("%q, %v", head, err)
	}
	// A second process finds what the first got.
	first := r.served("a.example", c.roots(), nil)
	r.end(t)
	r.begin()
	if text, leaf, err := r.get("a.example", c.roots()); err != nil || !leaf.Equal(first) {
		t.Errorf("the first handshake after a start: %v %q", err, text)
	}
}

// other is for a certificate that takes the place of one.
func other(than *x509.Certificate) func(*x509.Certificate) bool {
	return func(leaf *x509.Certificate) bool { return !leaf.Equal(than) }
}

// The three lines of the README do what it says. Only what leads to another
// authority, and to other ports, is put in.
func TestThreeLines(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "## HTTPS in three lines\n\n```yaml\n")
	three, _, _ := strings.Cut(rest, "```")
	if strings.Count(three, "\n") != 3 {
		t.Fatalf("they are not three: %q", three)
	}
	c := newCA(t, nil)
	three = strings.NewReplacer(`[{address: ":443", tls: auto}]`, `[{address: "127.0.0.1:{tls}", tls: {acme: {directory: "{dir}", ca: "{ca}"}}}]`,
		"backend: shop", "backend: b", "backends:", "#").Replace(three)
	r := c.run(three)
	began := time.Now()
	r.served("shop.example.com", c.roots(), nil)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the first answer came after %v", took)
	}
	if kept, err := filepath.Glob(r.storage + "/acme/certificates/*/shop.example.com/*.key"); err != nil || len(kept) != 1 {
		t.Errorf("%q %v", kept, err)
	}
}
