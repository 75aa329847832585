package proxy

import "testing"

// An authority is answered before redirects and routes, for what it is to find
// alone, and where nothing is secured.
func TestProof(t *testing.T) {
	g, _ := gateOf(t, two)
	g.Prove(func(token []byte) []byte {
		if string(token) == "t" {
			return []byte("t.key")
		}
		return nil
	})
	f := func(target string, secured Secured, want string) {
		t.Helper()
		x := request("GET", target)
		x.Host, x.Redirect, x.Secured = []byte("shop.example"), served("443"), secured
		before := g.Table().Total().Success()
		if v := g.Begin(x); v != Reply {
			t.Fatalf("%s: verdict %d", target, v)
		}
		got := ""
		if x.Answer.Status == 200 {
			got = string(x.Answer.Body)
		}
		x.End(0, x.Start)
		if got != want || want != "" && g.Table().Total().Success() != before {
			t.Errorf("%s: %q, %+v", target, got, x.Answer)
		}
	}
	f("/.well-known/acme-challenge/t", nil, "t.key")
	f("/.well-known/acme-challenge/u", nil, "")
	f("/.well-known/acme-challenge/", nil, "")
	f("/.well-known/acme-challenge/t?a", nil, "")
	f("/x/.well-known/acme-challenge/t", nil, "")
	f("/.well-known/acme-challenge/t", secure{}, "")
}

// secure is a connection with TLS, for whatever host.
type secure struct{}

func (secure) Belongs([]byte) bool  { return true }
func (secure) ClientFields() []byte { return nil }
