package policy

import (
	"testing"

	"rgate/internal/config"
)

func TestPrefixes(t *testing.T) {
	f := func(c config.Prefix, path, want, back string) {
		t.Helper()
		chain := compileAll([]*config.Policy{{Prefix: &c}})
		rewritten, moved := chain.Rewrites()[0].Rewrite(nil, []byte(path))
		got := string(rewritten)
		if moved != (path != want) {
			t.Errorf("%s: %s is moved: %v", chain.All()[0], path, moved)
		}
		if restored := string(chain.Rewrites()[0].Restore(nil, []byte(got))); got != want || restored != back {
			t.Errorf("%s: %s becomes %s and %s again", chain.All()[0], path, got, restored)
		}
	}
	strip, add := config.Prefix{Strip: "/api"}, config.Prefix{Add: "/v2"}
	f(strip, "/api/x", "/x", "/api/x")
	f(strip, "/api/", "/", "/api/")
	f(strip, "/api", "/", "/api/")
	f(strip, "/api//x", "//x", "/api//x")
	f(strip, "/apiary", "/apiary", "/api/apiary") // no whole segment: a route that takes it has match: literal
	f(strip, "/x/api", "/x/api", "/api/x/api")
	f(add, "/x", "/v2/x", "/x")
	f(add, "/", "/v2/", "/")
	if got := string((&Prefix{add: "/v2"}).Restore(nil, []byte("/v2"))); got != "/" {
		t.Error(got)
	}
	if got := string((&Prefix{add: "/v2"}).Restore(nil, []byte("/other"))); got != "/other" {
		t.Error(got)
	}
}

// The order is by what policies do, not by the file.
func TestTheOrderOfPolicies(t *testing.T) {
	chain := compileAll([]*config.Policy{
		{Respond: &config.Respond{Status: 200}}, {SecureHeaders: true}, {Prefix: &config.Prefix{Add: "/b"}},
		{IP: &config.IP{Deny: networks("192.0.2.7/32")}}, {Prefix: &config.Prefix{Strip: "/a"}},
	})
	want := []string{"ip: deny 192.0.2.7", "strip_prefix: /a", "add_prefix: /b", "secure_headers", "respond: 200"}
	for i, p := range chain.All() {
		if i >= len(want) || p.String() != want[i] {
			t.Errorf("%d is %s", i, p)
		}
	}
	if !chain.Answers() || len(chain.Decided()) != 2 {
		t.Errorf("%+v", chain)
	}
	if compileAll([]*config.Policy{{IP: &config.IP{Deny: networks("192.0.2.7/32")}}}).Answers() {
		t.Error("a list of addresses answers nobody that it lets pass")
	}
}

func TestRedirect(t *testing.T) {
	f := func(query, want string, to ...config.Piece) {
		t.Helper()
		p := compileAll([]*config.Policy{{Redirect: &config.Redirect{To: to, Status: 307}}}).Decided()[0]
		d := p.Decide(Request{Host: []byte("h.example"), Query: []byte(query), Speaker: says{"path": "/a/b", "host": "h.example"}})
		if a := d.Refusal; a == nil || a.Status != 307 || !a.Meant || a.Fields[0] != [2]string{"Location", want} || !a.Says("location") || a.Says("Allow") {
			t.Errorf("%s: %+v", p, a)
		}
	}
	path, host := config.Piece{Variable: "path"}, config.Piece{Variable: "host"}
	f("", "/new/a/b", config.Piece{Text: "/new"}, path)
	f("?q=1", "/new/a/b?q=1", config.Piece{Text: "/new"}, path)
	f("?q=1", "https://h.example/?from=/a/b", config.Piece{Text: "https://"}, host, config.Piece{Text: "/?from="}, path)
	f("?q=1", "/new#top", config.Piece{Text: "/new#top"})
	for to, status := range map[config.Piece]int{host: 400, {Text: "h.example"}: 308} { // https:///path is another host to browsers
		p := compileAll([]*config.Policy{{Redirect: &config.Redirect{To: []config.Piece{{Text: "https://"}, to, path}, Status: 308}}}).Decided()[0]
		if a := p.Decide(Request{Speaker: says{"path": "/evil.example/"}}).Refusal; a.Status != status {
			t.Errorf("%s: a request without a host is told %+v", p, a)
		}
	}
	if got := compileAll([]*config.Policy{{Redirect: &config.Redirect{To: []config.Piece{{Text: "/new"}, path}, Status: 308}}}).All()[0].String(); got != "redirect: 308 /new{path}" {
		t.Error(got)
	}
}
