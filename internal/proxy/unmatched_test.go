package proxy

import (
	"strings"
	"testing"

	"rgate/internal/upstream"
)

const asking = `
routes:
  - {path_prefix: /api, methods: [PUT, GET], backend: b}
  - {hosts: [shop.example], path_prefix: /api/x, methods: [DELETE], query: {a: b}, headers: {X-A: c}, backend: b}
backends: [{name: b, endpoints: ["10.0.0.1:80"]}]
`

// A path that routes take by other methods alone gets their names, and counts
// as unmatched; nobody's log is filled by it.
func TestMethodNotAllowed(t *testing.T) {
	g, book := gateOf(t, asking)
	f := func(x *Exchange, allow string) {
		t.Helper()
		v := g.Begin(x)
		x.End(upstream.None, x.Start)
		if a := x.Answer; v != Reply || a.Status != 405 || a.Reason != "method_not_allowed" || len(a.Fields) != 1 || a.Fields[0] != [2]string{"Allow", allow} {
			t.Errorf("%s %s: %v, %+v; want Allow: %s", x.Method, x.Target, v, a, allow)
		}
	}
	f(request("POST", "/api/y"), "GET, PUT")
	f(request("POST", "/api/x"), "GET, PUT")
	x := request("POST", "/api/x?a=b")
	x.Header = fields{"X-A": {"c"}, "Accept": {"application/json"}}
	f(x, "DELETE, GET, PUT")
	if want := `{"status":405,"reason":"method_not_allowed","error":"no route takes this method here"}`; strings.TrimSpace(string(x.Answer.Body)) != want {
		t.Errorf("as JSON: %s", x.Answer.Body)
	}
	if report := g.Table().Unmatched.Snapshot(); report.Error() != 3 {
		t.Errorf("%d are counted as unmatched, want 3", report.Error())
	}
	if book.String() != "" {
		t.Errorf("logged: %s", book.String())
	}
	x = request("POST", "/other")
	if g.Begin(x); x.Answer.Status != 404 {
		t.Errorf("a path that nothing takes gets %d", x.Answer.Status)
	}
	x.End(upstream.None, x.Start)
	x = request("DELETE", "/api/x?a=b")
	x.Header = fields{"X-A": {"c"}}
	if v := g.Begin(x); v != Forward || x.Route.ID != "shop.example/api/x [DELETE] X-A=c ?a=b" {
		t.Errorf("%v by %v", v, x.Route)
	}
	x.End(upstream.Canceled, x.Start)
	balanced(t, g)
}
