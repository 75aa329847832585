package cert

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// load is a pair of files and what Load says of it.
type load struct {
	name   string
	pair   Pair
	loaded bool
	says   string // of the first problem; "" for none
}

// loads are pairs in every state.
func loads(t *testing.T) []load {
	dir := t.TempDir()
	good := spec{hosts: []string{"a.example"}}.write(t, dir, "good")
	other := spec{hosts: []string{"a.example"}}.write(t, dir, "other")
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		put(t, path, text)
		return path
	}
	goodCert, goodKey := readBoth(t, good)
	otherCert, _ := readBoth(t, other)
	open := file("open.key", goodKey)
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	nameless := spec{}.write(t, dir, "nameless")
	byDefault := nameless
	byDefault.Default = true
	oldKey := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("x")})
	newKey := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	return []load{
		{"good", good, true, ""},
		{"no certificate", Pair{Cert: dir + "/none.pem", Key: good.Key}, false, "cannot read the certificate " + dir + "/none.pem: no such file or directory"},
		{"no key", Pair{Cert: good.Cert, Key: dir + "/none.key"}, false, "cannot read the key " + dir + "/none.key: no such file or directory"},
		{"a directory", Pair{Cert: dir, Key: good.Key}, false, "it is no regular file"},
		{"a pipe", Pair{Cert: fifo, Key: good.Key}, false, "it is no regular file"},
		{"huge", Pair{Cert: file("huge", make([]byte, maxFile+1)), Key: good.Key}, false, "larger than 1048576 bytes"},
		{"swapped", Pair{Cert: good.Key, Key: good.Cert}, false, "the wrong way round"},
		{"no PEM", Pair{Cert: file("text", []byte("hello")), Key: good.Key}, false, "holds no certificate in PEM"},
		{"no PEM for a key", Pair{Cert: good.Cert, Key: file("text.key", []byte("hello"))}, false, "holds no private key in PEM"},
		{"encrypted", Pair{Cert: good.Cert, Key: file("new.key", newKey)}, false, "is encrypted"},
		{"encrypted, old", Pair{Cert: good.Cert, Key: file("old.key", oldKey)}, false, "is encrypted"},
		{"another's key", Pair{Cert: good.Cert, Key: other.Key}, false, "does not fit the key"},
		{"chain first", Pair{Cert: file("chain.pem", append(bytes.Clone(otherCert), goodCert...)), Key: good.Key}, false, "the first certificate is not the one"},
		{"broken", Pair{Cert: file("broken.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})), Key: good.Key}, false, "does not fit"},
		{"open key", Pair{Cert: good.Cert, Key: open}, true, "may be read or written by everybody (mode 0644)"},
		{"expired", spec{hosts: []string{"a"}, before: time.Now().Add(-2 * time.Hour), after: time.Now().Add(-time.Hour)}.write(t, dir, "expired"), true, "expired on"},
		{"early", spec{hosts: []string{"a"}, before: time.Now().Add(time.Hour), after: time.Now().Add(2 * time.Hour)}.write(t, dir, "early"), true, "is not valid before"},
		{"no names", nameless, false, "names no host"},
		{"no names, by default", byDefault, true, ""},
	}
}

func TestLoad(t *testing.T) {
	for _, test := range loads(t) {
		t.Run(test.name, func(t *testing.T) {
			c, problems := Load(test.pair, time.Now())
			if (c != nil) != test.loaded {
				t.Errorf("loaded: %v", c != nil)
			}
			var said string
			for _, p := range problems {
				said += p.Error()
				if p.Warning != test.loaded {
					t.Errorf("a warning: %v", p.Warning)
				}
			}
			if test.says == "" && said != "" || !strings.Contains(said, test.says) {
				t.Errorf("says %q, want %q", said, test.says)
			}
			if strings.Contains(said, "PRIVATE KEY-----\nM") {
				t.Error("it tells the key")
			}
		})
	}
}

func readBoth(t *testing.T, p Pair) (cert, key []byte) {
	t.Helper()
	for _, f := range []struct {
		path string
		into *[]byte
	}{{p.Cert, &cert}, {p.Key, &key}} {
		text, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		*f.into = text
	}
	return cert, key
}
