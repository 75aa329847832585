//go:build linux

package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/rig"
)

// routing are the routes of the table below. Each endpoint answers with the
// backend's name.
var routing = []config.Route{
	{PathPrefix: "/", Backend: "any"},
	{PathPrefix: "/put", Methods: []string{"PUT", "PATCH"}, Backend: "put"},
	{Hosts: []string{"shop.example"}, PathPrefix: "/", Backend: "shop"},
	{Hosts: []string{"*.shop.example"}, PathPrefix: "/", Backend: "below"},
	{Hosts: []string{"*.eu.shop.example"}, PathPrefix: "/eu", Backend: "eu"},
	{Hosts: []string{"[::1]"}, PathPrefix: "/", Backend: "six"},
	{Hosts: []string{"strict.example"}, PathPrefix: "/a", Methods: []string{"GET"}, Backend: "strict"},
	{Hosts: []string{"shop.example"}, PathPrefix: "/c", Headers: []config.Condition{{Name: "X-Channel", Value: "beta"}}, Backend: "beta"},
	{Hosts: []string{"shop.example"}, PathPrefix: "/c", Headers: []config.Condition{{Name: "X-Channel", Value: "beta"}, {Name: "X-Debug", AnyValue: true}}, Backend: "debug"},
	{Hosts: []string{"shop.example"}, PathPrefix: "/q", Query: []config.Condition{{Name: "v", Value: "two words"}}, Backend: "query"},
	{Hosts: []string{"shop.example"}, PathPrefix: "/q", Query: []config.Condition{{Name: "v", Value: "1"}}, Methods: []string{"POST"}, Backend: "post"},
}

// routingRows are requests, without their end, and the backend or status that
// they get.
var routingRows = []struct{ head, want string }{
	{"GET / HTTP/1.1\r\nHost: shop.example", "shop"},
	{"GET / HTTP/1.1\r\nHost: shop.example:8080", "shop"},
	{"GET / HTTP/1.1\r\nHost: SHOP.Example", "shop"},
	{"GET / HTTP/1.1\r\nHost: shop.example.", "shop"},
	{"GET / HTTP/1.1\r\nhost: Shop.Example.:80", "shop"},
	{"GET / HTTP/1.1\r\nHost: shop.example..", "any"},
	{"GET / HTTP/1.1\r\nHost: xshop.example", "any"},
	{"GET / HTTP/1.1\r\nHost: other.example", "any"},
	{"GET / HTTP/1.1\r\nHost: .shop.example", "any"},
	{"GET / HTTP/1.1\r\nHost: a..shop.example", "any"},
	{"GET / HTTP/1.1\r\nHost: a.shop.example", "below"},
	{"GET / HTTP/1.1\r\nHost: A.b.C.shop.example.:1", "below"},
	{"GET /eu HTTP/1.1\r\nHost: a.eu.shop.example", "eu"},
	{"GET /x HTTP/1.1\r\nHost: a.eu.shop.example", "below"},
	{"GET /eu HTTP/1.1\r\nHost: eu.shop.example", "below"},
	{"GET / HTTP/1.1\r\nHost: [::1]", "six"},
	{"GET / HTTP/1.1\r\nHost: [0:0:0:0:0:0:0:1]:80", "six"},
	{"GET / HTTP/1.1\r\nHost: [::2]", "any"},
	{"GET / HTTP/1.1\r\nHost: shop.example, other.example", "400"},
	{"GET / HTTP/1.1\r\nHost: shop.example\r\nHost: shop.example", "400"},

	{"GET http://shop.example/ HTTP/1.1\r\nHost: shop.example", "shop"},
	{"GET http://SHOP.example:80/x HTTP/1.1\r\nHost: shop.example:80", "shop"},
	{"GET http://shop.example/ HTTP/1.1\r\nHost: other.example", "400"},
	{"GET http://a.shop.example HTTP/1.0", "below"},
	{"GET / HTTP/1.0", "any"},
	{"GET / HTTP/1.0\r\nHost: shop.example", "shop"},

	{"PUT /put HTTP/1.1\r\nHost: x\r\nContent-Length: 0", "put"},
	{"GET /put HTTP/1.1\r\nHost: x", "any"},
	{"put /put HTTP/1.1\r\nHost: x\r\nContent-Length: 0", "any"},
	{"PUT /put HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0", "shop"},
	{"GET /a HTTP/1.1\r\nHost: strict.example", "strict"},
	{"GET /%61 HTTP/1.1\r\nHost: strict.example", "strict"},
	{"HEAD /a HTTP/1.1\r\nHost: strict.example", "any"}, // the next best takes it

	{"GET /c HTTP/1.1\r\nHost: shop.example\r\nX-Channel: beta", "beta"},
	{"GET /c HTTP/1.1\r\nHost: shop.example\r\nx-channel:   beta  ", "beta"},
	{"GET /c HTTP/1.1\r\nHost: shop.example\r\nX-Channel: Beta", "shop"},
	{"GET /c HTTP/1.1\r\nHost: shop.example\r\nX-Channel: beta\r\nX-Channel: beta", "shop"},
	{"GET /c HTTP/1.1\r\nHost: shop.example\r\nX_Channel: beta", "shop"},
	{"GET /c HTTP/1.1\r\nHost: shop.example\r\nX-Debug:\r\nX-Channel: beta", "debug"},
	{"GET /c HTTP/1.1\r\nHost: shop.example\r\nX-Debug: 1", "shop"},
	{"GET /c HTTP/1.1\r\nHost: other.example\r\nX-Channel: beta", "any"},

	{"GET /q?v=two+words HTTP/1.1\r\nHost: shop.example", "query"},
	{"GET /q?v=two%20words HTTP/1.1\r\nHost: shop.example", "query"},
	{"GET /q?a&%76=%74wo%20words&v=3 HTTP/1.1\r\nHost: shop.example", "query"},
	{"GET /q?v=3&v=two+words HTTP/1.1\r\nHost: shop.example", "shop"},
	{"GET /q?v=two%2Bwords HTTP/1.1\r\nHost: shop.example", "shop"},
	{"GET /q?v=two%2 HTTP/1.1\r\nHost: shop.example", "shop"},
	{"GET http://shop.example/q?v=two+words HTTP/1.1\r\nHost: shop.example", "query"},
	{"POST /q?v=1 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0", "post"},
	{"GET /q?v=1 HTTP/1.1\r\nHost: shop.example", "shop"},
}

// TestRouting holds which route takes a request, by its bytes: RFC 9110 §7.2 for
// the host, RFC 9112 §3.2.2 for the target that names one.
func TestRouting(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			g := rig.Start(t, kind, routesTo(t, routing))
			for _, row := range routingRows {
				want := "HTTP/1.1 200 OK"
				if row.want == "400" {
					want, row.want = "HTTP/1.1 400 Bad Request", ""
				}
				method, _, _ := strings.Cut(row.head, " ")
				got := exchange(t, g.Addr, row.head+"\r\nConnection: close\r\n\r\n")
				if method == http.MethodHead {
					row.want = "X-Backend: " + row.want
				}
				if !strings.HasPrefix(got, want) || !strings.Contains(got, row.want) || method != http.MethodHead && row.want != "" && !strings.HasSuffix(got, "\r\n\r\n"+row.want) {
					t.Errorf("%q: want %s by %q, got %q", row.head, want, row.want, got)
				}
			}
		})
	}
}

// routesTo gives a rig these routes, each to an endpoint that answers with the
// name of its backend.
func routesTo(t *testing.T, routes []config.Route) func(*config.Config) {
	return func(c *config.Config) {
		c.Backends, c.Routes = nil, nil
		for i, r := range routes {
			name := r.Backend
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Backend", name)
				_, _ = io.WriteString(w, name)
			}))
			t.Cleanup(s.Close)
			r.Match, r.Line = config.MatchLiteral, i+1
			c.Routes = append(c.Routes, r)
			c.Backends = append(c.Backends, config.Backend{
				Name: name, Scheme: "http", Address: "auto", Endpoints: []string{s.Listener.Addr().String()}, Traffic: c.Traffic,
			})
		}
	}
}

// A path that is there for other methods alone is told so (RFC 9110 §15.5.6),
// and that of a half-read body or of HEAD as well.
func TestMethodNotAllowed(t *testing.T) {
	routes := []config.Route{
		{PathPrefix: "/a", Methods: []string{"PUT", "GET"}, Backend: "one"},
		{Hosts: []string{"h.example"}, PathPrefix: "/a", Methods: []string{"DELETE"}, Backend: "two"},
	}
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			g := rig.Start(t, kind, routesTo(t, routes))
			for head, allow := range map[string]string{
				"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc": "GET, PUT",
				"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n":                         "GET, PUT",
				"OPTIONS /a HTTP/1.1\r\nHost: h.example:1\r\n\r\n":            "DELETE, GET, PUT",
				"BREW /a HTTP/1.0\r\n\r\n":                                    "GET, PUT",
			} {
				got := exchange(t, g.Addr, strings.Replace(head, "\r\n", "\r\nConnection: close\r\n", 1))
				for _, want := range []string{"HTTP/1.1 405 Method Not Allowed\r\n", "\r\nAllow: " + allow + "\r\n", "\r\nX-Rgate-Reason: method_not_allowed\r\n"} {
					if !strings.Contains(got, want) {
						t.Errorf("%q: want %q, got %q", head, want, got)
					}
				}
				if body := strings.HasSuffix(got, "\r\n\r\nno route takes this method here\n"); body == strings.HasPrefix(head, "HEAD") {
					t.Errorf("%q: body %v in %q", head, body, got)
				}
			}
			if got := exchange(t, g.Addr, "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 404 ") || strings.Contains(got, "Allow:") {
				t.Errorf("another path: %q", got)
			}
			counted := g.Gate.Table().Unmatched.Snapshot()
			if n := counted.Error(); n != 5 {
				t.Errorf("%s are counted as unmatched, want 5", fmt.Sprint(n))
			}
		})
	}
}
