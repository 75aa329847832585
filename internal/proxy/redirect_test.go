package proxy

import "testing"

// served redirects hosts that begin with s.
type served string

func (s served) HTTPS(host []byte) (string, bool) {
	return string(s), len(host) > 0 && host[0] == 's'
}

func TestRedirect(t *testing.T) {
	g, _ := gateOf(t, two)
	f := func(port, target, host, want string) {
		t.Helper()
		x := request("GET", target)
		x.Host, x.Redirect = []byte(host), served(port)
		if v := g.Begin(x); (v == Reply && x.Answer.Status == 308) != (want != "") {
			t.Errorf("%s at %s: verdict %d, %+v", target, host, v, x.Answer)
		} else if want != "" && (x.Answer.Fields[0] != [2]string{"Location", want} || x.Answer.Reason != ReasonRedirect) {
			t.Errorf("%s at %s: %+v", target, host, x.Answer)
		}
		if want == "" {
			return
		}
		before := g.Table().Total()
		x.End(0, x.Start)
		if after := g.Table().Total(); after.Success()-before.Success() != 1 {
			t.Errorf("%s at %s: it is not recorded", target, host)
		}
	}
	f("443", "/api/a?b=c", "shop.example", "https://shop.example/api/a?b=c")
	f("8443", "/api//../x%20y", "shop.example:80", "https://shop.example:8443/api//../x%20y")
	f("443", "/stats", "shop.example:8080", "https://shop.example/stats")
	f("443", "*", "s", "https://s")
	f("443", "/api", "other.example", "")
	f("443", "/api", "", "")
	for host, want := range map[string]string{"[::1]:80": "[::1]", "[::1]": "[::1]", "a:": "a", "a": "a", "": "", "80": "80"} {
		if got := string(withoutPort([]byte(host))); got != want {
			t.Errorf("%q without its port is %q", host, got)
		}
	}
}
