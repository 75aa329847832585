package policy

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rgate/internal/config"
)

// fields is a Header.
type fields http.Header

func (f fields) Count(name string) int { return len(f[name]) }

func (f fields) Get(name string) []byte {
	if len(f[name]) == 0 {
		return nil
	}
	return []byte(f[name][0])
}

func (f fields) Join(dst []byte, name string) []byte {
	return append(dst, strings.Join(f[name], ", ")...)
}

func (f fields) Cookie(name string) []byte {
	for _, field := range f["Cookie"] {
		for pair := range strings.SplitSeq(field, ";") {
			if value, ok := strings.CutPrefix(strings.TrimSpace(pair), name+"="); ok {
				return []byte(value)
			}
		}
	}
	return nil
}

func keyed(all ...string) []config.KeyHash {
	var hashes []config.KeyHash
	for _, key := range all {
		hashes = append(hashes, sha256.Sum256([]byte(key)))
	}
	return hashes
}

var consumers = []config.Consumer{
	{Name: "shop", Keys: keyed("shop-key", "shop-key-2"), Tags: []string{"partner", "eu"}},
	{Name: "batch", Keys: keyed("batch-key")},
}

func TestAPIKey(t *testing.T) {
	f := func(c config.APIKey, r Request, status int, who string) {
		t.Helper()
		if r.Header == nil {
			r.Header = fields{}
		}
		chain := NewCompiler(consumers).Chain([]*config.Policy{{APIKey: &c}})
		d := chain.Decided()[0].Decide(r)
		got, name := 200, ""
		if d.Refusal != nil {
			got = d.Refusal.Status
		}
		if d.Consumer != nil {
			name = d.Consumer.Name
		}
		if got != status || name != who || d.Job != nil || got == 401 && !d.Refusal.Says("WWW-Authenticate") {
			t.Errorf("%v for %v: %d %s", c, r, got, name)
		}
	}
	header := config.APIKey{In: config.InHeader, Name: "X-Api-Key"}
	with := func(keys ...string) Request { return Request{Header: fields{"X-Api-Key": keys}} }
	f(header, with("shop-key"), 200, "shop")
	f(header, with("shop-key-2"), 200, "shop")
	f(header, with("batch-key"), 200, "batch")
	f(header, with("Shop-key"), 401, "")
	f(header, with("shop-key "), 401, "")
	f(header, with(""), 401, "")
	f(header, Request{}, 401, "")
	f(header, with("shop-key", "batch-key"), 401, "")
	f(header, with("shop-key", "shop-key"), 401, "")
	f(header, with(strings.Repeat("x", longestKey+1)), 401, "")
	header.Consumers = []string{"eu", "nobody"}
	f(header, with("shop-key"), 200, "shop")
	f(header, with("batch-key"), 403, "")
	header.Consumers = []string{"batch"}
	f(header, with("batch-key"), 200, "batch")
	f(header, with("shop-key"), 403, "")

	query := config.APIKey{In: config.InQuery, Name: "key"}
	asked := func(q string) Request { return Request{Query: []byte(q)} }
	f(query, asked("?key=shop-key"), 200, "shop")
	f(query, asked("?a=b&key=shop-key&c"), 200, "shop")
	f(query, asked("?key=shop-key&key=batch-key"), 401, "")
	f(query, asked("?key"), 401, "")
	f(query, asked("?KEY=shop-key"), 401, "")
	f(query, asked("?k%65y=shop-key"), 401, "")
	f(query, asked("?key=shop-key&k%65y=batch-key"), 401, "")
	f(query, asked("?key=shop-key&k%65=1&k%6=2&k%zzy=3&%6bey%00=4"), 200, "shop")
	f(query, asked(""), 401, "")

	cookie := config.APIKey{In: config.InCookie, Name: "key"}
	sent := func(all ...string) Request { return Request{Header: fields{"Cookie": all}} }
	f(cookie, sent("a=b; key=shop-key"), 200, "shop")
	f(cookie, sent("key=shop-key; key=batch-key"), 401, "")
	f(cookie, sent("key=shop-key", "a=b"), 401, "") // in which field it was is for nobody to guess
	f(cookie, sent("keys=shop-key"), 401, "")
	f(cookie, Request{}, 401, "")
}

// The key does not go on, nor does what only rgate says of consumers.
func TestAKeyStaysHere(t *testing.T) {
	compile := func(c config.APIKey) *Edits {
		return NewCompiler(consumers).Chain([]*config.Policy{{APIKey: &c}}).Request
	}
	e := compile(config.APIKey{In: config.InHeader, Name: "X-Api-Key"})
	if got := edited(e, "X-Api-Key: k", "x_api_key: k", "X-Consumer-Name: root", "X_Consumer_Tags: admin", "A: b"); !slices.Equal(got, []string{"A: b"}) {
		t.Errorf("got %q", got)
	}
	if e.Hides() || string(e.Query([]byte("?key=k"))) != "?key=k" {
		t.Error("a key in a header has nothing to do with cookies and queries")
	}
	e = compile(config.APIKey{In: config.InHeader, Name: "X-Api-Key", Keep: true})
	if got := edited(e, "X-Api-Key: k", "x-api-key: k", "X_Api_Key: other", "X-Consumer-Name: root"); !slices.Equal(got, []string{"X-Api-Key: k", "x-api-key: k"}) {
		t.Errorf("got %q", got)
	}
	e = compile(config.APIKey{In: config.InCookie, Name: "key"})
	for field, want := range map[string]string{"a=b; key=k;c=d": "a=b; c=d", "key=k": "", "key=k; key=l": "", "": "", "keys=a;;": "keys=a"} {
		if got := string(e.AppendCookies([]byte("="), []byte(field))); !e.Hides() || got != "="+want {
			t.Errorf("%q becomes %q", field, got)
		}
	}
	e = compile(config.APIKey{In: config.InQuery, Name: "key"})
	for query, want := range map[string]string{"?a=b&key=k&c": "?a=b&c", "?key=k": "", "?key&key=l": "", "?": "?", "": "", "?keys=a&&": "?keys=a&&", "?a&%6bey=k": "?a"} {
		if got := string(e.Query([]byte(query))); got != want {
			t.Errorf("%q becomes %q", query, got)
		}
	}
	if got := string((*Edits)(nil).Query([]byte("?a"))); got != "?a" {
		t.Error(got)
	}
}

func TestConsumersAreTold(t *testing.T) {
	who := NewConsumers(consumers).owner([]byte("shop-key"))
	if got := string(AppendConsumer(nil, who)); got != "X-Consumer-Name: shop\r\nX-Consumer-Tags: partner,eu\r\n" {
		t.Errorf("%q", got)
	}
	if got := string(AppendConsumer(nil, NewConsumers(consumers).owner([]byte("batch-key")))); got != "X-Consumer-Name: batch\r\n" {
		t.Errorf("%q", got)
	}
	if got := AppendConsumer(nil, nil); got != nil {
		t.Errorf("%q", got)
	}
	all := NewCompiler(consumers).Chain([]*config.Policy{{APIKey: &config.APIKey{In: config.InHeader, Name: "X-Api-Key", Consumers: []string{"eu"}}}}).All()
	if len(all) != 2 || all[0].String() != "consumers: X-Consumer-… of clients are removed" || all[1].String() != "api_key: header X-Api-Key, eu" {
		t.Errorf("%v", all)
	}
}

func TestAKeyAllocatesNothing(t *testing.T) {
	p := NewCompiler(consumers).Chain([]*config.Policy{{APIKey: &config.APIKey{In: config.InQuery, Name: "key"}}}).Decided()[0]
	r := Request{Header: fields{}, Query: []byte("?a=b&key=shop-key")}
	if n := testing.AllocsPerRun(100, func() {
		if p.Decide(r).Consumer == nil {
			t.Fatal("nobody")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAPIKey(b *testing.B) {
	p := NewCompiler(consumers).Chain([]*config.Policy{{APIKey: &config.APIKey{In: config.InQuery, Name: "key"}}}).Decided()[0]
	r := Request{Header: fields{}, Query: []byte("?a=b&key=shop-key")}
	b.ReportAllocs()
	for b.Loop() {
		if p.Decide(r).Consumer == nil {
			b.Fatal("nobody")
		}
	}
}
