package standard

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// rewrite makes the request that is sent on. ReverseProxy has removed
// hop-by-hop fields and forwarding headers by then, so nothing a client names
// in Connection can take away what is set here.
func rewrite(p *httputil.ProxyRequest) {
	x := exchangeOf(p.In.Context())
	out := p.Out
	out.URL = forwardedURL(p.In.Host, string(x.Path), string(x.Query))
	out.Host = p.In.Host
	if !x.Trusted() {
		dropClaims(out.Header)
	}
	out.Header["X-Forwarded-For"] = []string{string(x.AppendForwardedFor(nil))}
	out.Header["X-Forwarded-Host"] = []string{string(x.AppendForwardedHost(nil))}
	out.Header["X-Forwarded-Proto"] = []string{string(x.AppendForwardedProto(nil))}
	out.Header["Forwarded"] = []string{string(x.AppendForwarded(nil))}
	out.Header["Via"] = append(out.Header["Via"], "1.1 "+string(x.Pseudonym()))
	out.Header["X-Request-Id"] = []string{string(x.RequestID)}
	if x.body != nil {
		out.Trailer = p.In.Trailer // the map that the server fills at the body's end
	}
}

// dropClaims removes what a stranger says of itself or others.
func dropClaims(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "X-Forwarded-") || name == "X-Real-Ip" {
			delete(h, name)
		}
	}
}

// forwardedURL is a URL that net/http writes as path and query, byte for byte.
// The address comes with the attempt.
func forwardedURL(host, path, query string) *url.URL {
	if len(path) < 2 || path[:2] != "//" {
		return &url.URL{Scheme: "http", Opaque: path + query}
	}
	// An opaque part with two slashes would become an absolute target.
	u := &url.URL{Scheme: "http", RawPath: path}
	u.Path, _ = url.PathUnescape(path) // proxy.Normalize has refused bad escapes
	if u.EscapedPath() != path {
		// Bytes that net/url insists on escaping, behind two slashes: no
		// way but the absolute form, which every server must take.
		return &url.URL{Scheme: "http", Opaque: "//" + host + path + query}
	}
	if query != "" {
		u.RawQuery, u.ForceQuery = query[1:], true
	}
	return u
}
