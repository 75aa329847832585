package authority

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rgate/internal/cert"
)

func TestPrivate(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "shop.localhost": true, "a.b.internal": true, "x.home.arpa": true, "nas.lan": true, "_a.test": true,
		"internal": false, "test": false, "": false, "example.com": false, "localhost.example.com": false, "notlocalhost": false, "arpa": false,
		"x.arpa": false, "gateway": false, "*.internal": false, "a..internal": false, "-a.internal": false, ".internal": false,
		"a b.internal": false, "é.internal": false, strings.Repeat("a", 64) + ".internal": false, strings.Repeat("a.", 130) + "internal": false,
		"127.0.0.1": true, "127.9.9.9": true, "10.0.0.1": true, "172.31.0.1": true, "172.32.0.1": false, "192.168.1.1": true, "100.64.0.1": true,
		"8.8.8.8": false, "::1": true, "fd00::1": true, "fe80::1%eth0": true, "2001:db8::1": false, "::ffff:127.0.0.1": true, "0.0.0.0": false,
	} {
		if got := Private(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

// conn is one that a client connected to an address by.
type conn struct {
	net.Conn
	local string
}

func (c conn) LocalAddr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(c.local, "443"))
	if err != nil {
		panic(err)
	}
	return a
}

func (a *Authority) serve(t *testing.T, name, address string) *tls.Certificate {
	t.Helper()
	c, err := a.Certificate(&tls.ClientHelloInfo{ServerName: name, Conn: conn{local: address}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (a *Authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(a.Root().PEM))
	return pool
}

func memory(t *testing.T) *Authority {
	t.Helper()
	a, err := InMemory()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What clients get they trust, and they get nothing for a public name.
func TestCertificates(t *testing.T) {
	a := memory(t)
	for _, test := range []struct{ name, address, host string }{
		{"localhost", "127.0.0.1", "localhost"}, {"Shop.Internal", "8.8.8.8", "shop.internal"}, {"", "172.17.0.2", "172.17.0.2"},
		{"", "172.17.0.2", "127.0.0.1"}, {"", "fd00::5", "[::1]"}, {"", "fd00::5", "[fd00::5]"}, {"localhost", "10.0.0.1", "127.0.0.1"},
	} {
		c := a.serve(t, test.name, test.address)
		if c == nil {
			t.Errorf("%+v: none", test)
			continue
		}
		if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: a.pool(), DNSName: test.host}); err != nil {
			t.Errorf("%+v: %v", test, err)
		}
		if life := time.Until(c.Leaf.NotAfter); life > leafLife || life < leafLife-time.Minute || c.Leaf.IsCA {
			t.Errorf("%+v: it lives for %v", test, life)
		}
	}
	for _, test := range []struct{ name, address string }{{"example.com", "127.0.0.1"}, {"", "8.8.8.8"}, {"gateway", "10.0.0.1"}} {
		if c := a.serve(t, test.name, test.address); c != nil {
			t.Errorf("%+v: one for %v", test, c.Leaf.DNSNames)
		}
	}
	if a.serve(t, "shop.internal", "10.0.0.1") != a.serve(t, "SHOP.internal", "10.0.0.2") {
		t.Error("it is made twice")
	}
}

// Who takes the key cannot be anybody public with it.
func TestTheRootIsConstrained(t *testing.T) {
	a := memory(t)
	for _, host := range []string{"example.com", "8.8.8.8", "gateway"} {
		c, err := a.issue(host, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: a.pool()}); err == nil {
			t.Errorf("a certificate for %s is trusted", host)
		}
	}
	root := a.root.certificate
	if root.MaxPathLen != 0 || !root.MaxPathLenZero || !root.PermittedDNSDomainsCritical || time.Until(root.NotAfter) > rootLife {
		t.Errorf("%+v", root)
	}
}

func TestRenewal(t *testing.T) {
	a := memory(t)
	now := time.Now()
	a.now = func() time.Time { return now }
	first := a.serve(t, "a.test", "127.0.0.1")
	now = now.Add(leafLife - leafSpare - time.Minute)
	if a.serve(t, "a.test", "127.0.0.1") != first {
		t.Error("it is renewed early")
	}
	if list := a.List(); len(list) != 1 || !list[0].Renewal.Equal(first.Leaf.NotAfter.Add(-leafSpare)) || list[0].Kind != cert.KindInternal || list[0].Issuer != a.Root().Name {
		t.Errorf("%+v", list)
	}
	now = now.Add(2 * time.Minute)
	second := a.serve(t, "a.test", "127.0.0.1")
	if second == first || !second.Leaf.NotAfter.After(now.Add(leafLife-time.Minute)) {
		t.Error("it is not renewed")
	}
	now = now.Add(-leafLife) // a clock is set right
	if third := a.serve(t, "a.test", "127.0.0.1"); third == second || third.Leaf.NotBefore.After(now) {
		t.Error("it is not valid yet")
	}
}

// Strangers may ask for any number of names.
func TestLeavesAreBounded(t *testing.T) {
	a := memory(t)
	for i := range maxLeaves + 50 {
		a.serve(t, fmt.Sprintf("n%d.test", i), "127.0.0.1")
	}
	if n := len(a.List()); n != maxLeaves {
		t.Errorf("%d are kept", n)
	}
}

func TestSame(t *testing.T) {
	a := memory(t)
	for _, test := range []struct {
		asked, host string
		want        bool
	}{
		{"a.test", "A.test.", true}, {"a.test", "b.test", false}, {"172.17.0.2", "127.0.0.1", true}, {"172.17.0.2", "192.168.1.9", true},
		{"172.17.0.2", "localhost", true}, {"172.17.0.2", "a.test", false}, {"localhost", "127.0.0.1", true}, {"localhost", "10.0.0.1", false},
		{"172.17.0.2", "8.8.8.8", false}, {"a.test", "127.0.0.1", false},
	} {
		if got := a.Same(test.asked, test.host); got != test.want {
			t.Errorf("%q and %q: %v", test.asked, test.host, got)
		}
	}
}

func open(t *testing.T, dir string) *Authority {
	t.Helper()
	a, kept, err := Open(dir)
	if err != nil || kept != nil {
		t.Fatal(kept, err)
	}
	return a
}

func TestItIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	first := open(t, dir)
	if again := open(t, dir); again.Root() != first.Root() || first.Root().File != File(dir) {
		t.Errorf("%+v, then %+v", first.Root(), again.Root())
	}
	if got, err := ReadRoot(dir); err != nil || got != first.Root() {
		t.Errorf("%+v %v", got, err)
	}
	if strings.Contains(first.Root().PEM, "PRIVATE") {
		t.Error("the key is shown")
	}
	for path, want := range map[string]os.FileMode{File(dir): 0o600, filepath.Dir(File(dir)): 0o700, dir: 0o700} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	files, err := os.ReadDir(filepath.Dir(File(dir)))
	if err != nil || len(files) != 1 {
		t.Errorf("%v %v", files, err)
	}
}

// Processes that begin at once have one root.
func TestProcessesThatBeginAtOnce(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		roots := make([]Root, 4)
		var all sync.WaitGroup
		for i := range roots {
			all.Go(func() {
				if a, _, err := Open(dir); err == nil {
					roots[i] = a.Root()
				}
			})
		}
		all.Wait()
		if roots[0].File == "" || len(slices.Compact(roots)) != 1 {
			t.Fatalf("%+v", roots)
		}
	}
}

func TestAWornRootIsReplaced(t *testing.T) {
	dir := t.TempDir()
	old, err := keep(File(dir), "h", time.Now().Add(rootSpare/2-rootLife))
	if err != nil {
		t.Fatal(err)
	}
	a := open(t, dir)
	if a.root.certificate.Equal(old.certificate) || a.root.worn(time.Now()) || open(t, dir).Root() != a.Root() {
		t.Error("it is the old one")
	}
}

func TestItCannotBeKept(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	loose := filepath.Join(dir, "loose")
	if err := os.MkdirAll(filepath.Dir(File(loose)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(File(loose)), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{loose, "/proc/rgate"} {
		if a, kept, err := Open(in); err != nil || kept == nil || a.Root().File != "" || a.serve(t, "localhost", "127.0.0.1") == nil {
			t.Errorf("%s: %v %v", in, kept, err)
		}
	}
}

// What somebody else may have made or read is not used, and nothing replaces it.
func TestBadFiles(t *testing.T) {
	good := open(t, t.TempDir())
	other := open(t, t.TempDir())
	read := func(a *Authority) string {
		text, err := os.ReadFile(a.file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	cert, key, _ := strings.Cut(read(good), "-----BEGIN PRIVATE")
	_, otherKey, _ := strings.Cut(read(other), "-----BEGIN PRIVATE")
	for name, test := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"empty":         {"", 0o600, "does not hold a certificate and then its key"},
		"half":          {cert, 0o600, "does not hold a certificate and then its key"},
		"another's key": {cert + "-----BEGIN PRIVATE" + otherKey, 0o600, "do not belong together"},
		"more":          {read(good) + "x", 0o600, "does not hold"},
		"open":          {cert + "-----BEGIN PRIVATE" + key, 0o640, "others may read or write it (mode 0640)"},
		"huge":          {strings.Repeat("x", largest+1), 0o600, "no file that rgate made"},
	} {
		dir := t.TempDir()
		file := File(dir)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(test.text), test.mode); err != nil {
			t.Fatal(err)
		}
		_, _, err := Open(dir)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
		if now, _ := os.ReadFile(file); string(now) != test.text {
			t.Errorf("%s: it was replaced", name)
		}
	}
}
