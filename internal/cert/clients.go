package cert

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// Clients are the authorities whose word on clients is taken, as a file has them
// at the moment.
type Clients struct {
	path  string
	trust atomic.Pointer[Trust]
	read  fs.FileInfo // when it was read last; Watch's, as the next
	last  fs.FileInfo // when it was looked at last
}

// Trust is a set of authorities. It never changes.
type Trust struct {
	Pool *x509.CertPool
	Sum  [sha256.Size]byte // alike for the same authorities, whatever the file looks like
}

// OpenClients reads a PEM file of authorities' certificates. It is nil where a
// problem is no warning.
func OpenClients(path string) (*Clients, []*Problem) {
	c := &Clients{path: path}
	c.read, _ = os.Stat(path) // what cannot be seen cannot be read
	trust, problems := loadTrust(path, time.Now())
	if trust == nil {
		return nil, problems
	}
	c.trust.Store(trust)
	return c, problems
}

// Trust is what holds at the moment.
func (c *Clients) Trust() *Trust { return c.trust.Load() }

func loadTrust(path string, now time.Time) (*Trust, []*Problem) {
	text, _, err := read(path)
	if err != nil {
		return nil, []*Problem{unreadable("authorities of clients", path, err)}
	}
	var all []*x509.Certificate
	var problems []*Problem
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		a, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, []*Problem{{File: path, Text: fmt.Sprintf("%s: its certificate number %d cannot be read: %v", path, len(all)+1, err)}}
		}
		all = append(all, a)
		switch {
		case a.BasicConstraintsValid && !a.IsCA:
			problems = append(problems, &Problem{File: path, Warning: true,
				Text: fmt.Sprintf("%s: the certificate of %q is not an authority's, so it vouches for no client but itself", path, a.Subject), Hint: "name the certificate of who signs those of clients"})
		case now.After(a.NotAfter):
			problems = append(problems, &Problem{File: path, Warning: true,
				Text: fmt.Sprintf("%s: the authority %q expired on %s", path, a.Subject, a.NotAfter.UTC().Format(date)), Hint: "it vouches for nobody any more; put a new one in its place"})
		}
	}
	if len(all) == 0 {
		return nil, []*Problem{{File: path, Text: path + " holds no certificate in PEM", Hint: "it begins with -----BEGIN CERTIFICATE-----"}}
	}
	return newTrust(all), problems
}

func newTrust(all []*x509.Certificate) *Trust {
	slices.SortFunc(all, func(a, b *x509.Certificate) int { return bytes.Compare(a.Raw, b.Raw) })
	t, sum := &Trust{Pool: x509.NewCertPool()}, sha256.New()
	for i, a := range all {
		if i > 0 && a.Equal(all[i-1]) {
			continue
		}
		t.Pool.AddCert(a)
		_, _ = sum.Write(a.Raw) // never fails, and says its own length
	}
	sum.Sum(t.Sum[:0])
	return t
}

// Watch reads the file again where it has changed, as Store.Watch does, until ctx
// ends. tell hears whether what it holds now is trusted, or what it held before,
// and what is wrong.
func (c *Clients) Watch(ctx context.Context, every time.Duration, tell func(path string, taken bool, problems []*Problem)) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.refresh(tell)
		}
	}
}

func (c *Clients) refresh(tell func(path string, taken bool, problems []*Problem)) {
	before := Glance{c.last}
	c.last, _ = os.Stat(c.path)
	if now := (Glance{c.last}); now.Same(Glance{c.read}) || !now.Same(before) {
		return
	}
	c.read = c.last
	trust, problems := loadTrust(c.path, time.Now())
	if trust != nil {
		c.trust.Store(trust)
	}
	tell(c.path, trust != nil, problems)
}
