package standard

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"rgate/internal/config"
)

func echoTarget(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Target", r.RequestURI)
	for name, values := range r.Header {
		w.Header()["Got-"+name] = values
	}
	w.Header().Set("Got-Host", r.Host)
}

func TestTargetsGoThroughByteForByte(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, echoTarget))
	for _, target := range []string{
		"/", "/a?b=c&d=%zz;e", "//x", "//x/y?z", "///", "/a%2Fb", "/a;b=c", "/a?", "//a?", `//a"b?c`, "/%E4?\"", "/a\"b", "/a|b^c", "/a//b", "/x?a=b?c#", "/a:b@c",
	} {
		if strings.Contains(target, "#") {
			continue
		}
		res, _ := r.get("GET " + target)
		if got := res.Header.Get("X-Target"); res.StatusCode != 200 || got != target {
			t.Errorf("%s: status %d, endpoint got %s", target, res.StatusCode, got)
		}
	}
	if res, _ := r.get("GET http://shop.example/a/b?c"); res.Header.Get("X-Target") != "/a/b?c" {
		t.Errorf("absolute form: %q", res.Header.Get("X-Target"))
	}
	if res, _ := r.get("GET /a/%2e%2e/b"); res.Header.Get("X-Target") != "/b" {
		t.Errorf("dot segments: %q", res.Header.Get("X-Target"))
	}
	if res, _ := r.get("OPTIONS *"); res.StatusCode != 200 && res.StatusCode != 404 {
		t.Errorf("OPTIONS *: %d", res.StatusCode)
	}
}

func TestForwardingHeaders(t *testing.T) {
	t.Parallel()
	lie := []string{
		"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "Forwarded: for=6.6.6.6",
		"Connection: X-Forwarded-For, X-Request-Id, Forwarded, X-Gone", "X-Gone: 1", "X-Request-Id: mine-1", "Keep-Alive: 3",
		"Proxy-Authorization: x", "Te: trailers",
	}
	want := map[string]string{
		"Got-X-Forwarded-For": "127.0.0.1", "Got-X-Forwarded-Proto": "http", "Got-X-Forwarded-Host": "shop.example",
		"Got-Forwarded": `for=127.0.0.1;host="shop.example";proto=http`, "Got-Host": "shop.example",
		"Got-X-Request-Id": "mine-1", "Got-X-Gone": "", "Got-Keep-Alive": "", "Got-Proxy-Authorization": "", "Got-User-Agent": "",
		"Got-Connection": "", "Got-Accept-Encoding": "",
	}
	r := start(t, nil, backend(t, echoTarget))
	res, _ := r.get("GET /", lie...)
	for name, value := range want {
		if got := res.Header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	trusting := start(t, func(c *config.Config) {
		p, err := netip.ParsePrefix("127.0.0.0/8")
		if err != nil {
			t.Fatal(err)
		}
		c.TrustedProxies = append(c.TrustedProxies, p)
	}, backend(t, echoTarget))
	res, _ = trusting.get("GET /", lie...)
	want["Got-X-Forwarded-For"], want["Got-X-Forwarded-Proto"], want["Got-X-Forwarded-Host"] = "6.6.6.6, 127.0.0.1", "https", "evil"
	want["Got-Forwarded"] = `for=6.6.6.6, for=127.0.0.1;host="shop.example";proto=http`
	for name, value := range want {
		if got := res.Header.Get(name); got != value {
			t.Errorf("trusted: %s: %q, want %q", name, got, value)
		}
	}
	res, _ = r.get("GET /", "X-Request-Id: not valid!")
	if got := res.Header.Get("Got-X-Request-Id"); len(got) != 36 || got[14] != '7' {
		t.Errorf("made request id: %q", got)
	}
}
