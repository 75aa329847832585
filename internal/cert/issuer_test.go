package cert

import (
	"crypto/tls"
	"errors"
	"slices"
	"testing"
)

// fixed is an issuer that has one certificate for some hosts.
type fixed struct {
	hosts []string
	entry Entry
	err   error
}

func (f *fixed) Covers(host string) bool      { return slices.Contains(f.hosts, normal(host)) }
func (f *fixed) Same(asked, host string) bool { return f.Covers(asked) && f.Covers(host) }
func (f *fixed) List() []Status               { return []Status{{Names: f.hosts, Kind: KindInternal}} }

func (f *fixed) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if !f.Covers(Asked(hello)) {
		return nil, errors.New("it was asked for a host that it does not cover")
	}
	return f.entry.Certificate, f.err
}

// A file that names a host goes first, then the issuer, then the default.
func TestAnIssuerHasWhatNoFileHas(t *testing.T) {
	named := spec{hosts: []string{"file.example", "*.wild.example"}}.entry(t, false)
	fallback := spec{hosts: []string{"default.example"}}.entry(t, true)
	issued := spec{hosts: []string{"a.example", "b.example"}}.entry(t, false)
	other := spec{hosts: []string{"o.example"}}.entry(t, false)
	store := serving(named, fallback)
	store.issuer = Issuers{
		&fixed{hosts: []string{"a.example", "b.example", "file.example", "x.wild.example", "127.0.0.1"}, entry: issued},
		&fixed{hosts: []string{"o.example", "a.example"}, entry: other},
		&fixed{hosts: []string{"pending.example"}},
		&fixed{hosts: []string{"bad.example"}, err: errors.New("no")},
	}
	for host, want := range map[string]Entry{
		"file.example": named, "x.wild.example": named, "A.example": issued, "o.example": other,
		"": issued, "nobody.example": fallback, "pending.example": fallback,
	} {
		got, err := handshake(t, store, &tls.Config{ServerName: host})
		if err != nil {
			t.Errorf("%q: %v", host, err)
		} else if !got.Leaf.Equal(want.Certificate.Leaf) {
			t.Errorf("%q is served a certificate for %v", host, got.Leaf.DNSNames)
		}
	}
	if _, err := handshake(t, store, &tls.Config{ServerName: "bad.example"}); err == nil {
		t.Error("an issuer's error is none")
	}
	for host, want := range map[string]bool{"pending.example": true, "B.example.": true, "nobody.example": false, "file.example": true} {
		if store.Covers(host) != want {
			t.Errorf("covers %s: %v", host, !want)
		}
	}
	for _, test := range []struct {
		asked, host string
		want        bool
	}{
		{"a.example", "b.example", true}, {"a.example", "o.example", false}, {"a.example", "file.example", false},
		{"file.example", "b.example", false}, {"127.0.0.1", "b.example", true}, {"nobody.example", "default.example", true},
		{"nobody.example", "a.example", false}, {"o.example", "O.example", true}, {"a.example", "nobody.example", false},
	} {
		if got := store.Same(test.asked, test.host); got != test.want {
			t.Errorf("%q and %q: %v", test.asked, test.host, got)
		}
	}
	var kinds []string
	for _, s := range store.List() {
		kinds = append(kinds, s.Kind)
	}
	if !slices.Equal(kinds, []string{KindFile, KindFile, KindInternal, KindInternal, KindInternal, KindInternal}) {
		t.Errorf("listed: %v", kinds)
	}
}
