package cli

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rgate/internal/config"
	"rgate/internal/route"
)

// asked is the request that explain is asked about.
type asked struct {
	method, host string
	path         string // as it would be sent
	query        string // with its question mark
	fields       givenFields

	scheme, port string // of a URL; "" where it has none
	sni          string // the host that a URL connects to
}

// name is the host without its port and brackets.
func (a *asked) name() string {
	u := url.URL{Host: a.host}
	return strings.ToLower(u.Hostname())
}

// newAsked reads what stands on the command line. host and headers may say more
// than the target, and say it last.
func newAsked(method, target, host string, headers []string) (asked, error) {
	a := asked{method: method, fields: givenFields{}}
	if _, err := http.NewRequest(method, "/", nil); err != nil {
		return a, usageError{fmt.Errorf("%q is no method: such as GET or POST", method)}
	}
	if err := a.take(target); err != nil {
		return a, err
	}
	for _, header := range headers {
		name, value, ok := strings.Cut(header, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return a, usageError{fmt.Errorf("%q is no header: write it as in -H 'X-Channel: beta'", header)}
		}
		if value = strings.TrimSpace(value); strings.EqualFold(name, "Host") {
			a.host = value
		} else {
			name = http.CanonicalHeaderKey(name)
			a.fields[name] = append(a.fields[name], value)
		}
	}
	if host != "" {
		a.host = host
	}
	a.host = config.ASCIIHost(a.host)
	if u, err := url.Parse("http://" + a.host); a.host != "" && (err != nil || u.Host != a.host || route.NormalHost(nil, []byte(a.host)) == nil) {
		return a, usageError{fmt.Errorf("%q is no host: such as shop.example.com or 192.0.2.7:8080, without a scheme or path", a.host)}
	}
	return a, nil
}

// take cuts a URL or path into what would be sent.
func (a *asked) take(target string) error {
	target, _, _ = strings.Cut(target, "#")
	if _, rest, absolute := strings.Cut(target, "://"); absolute {
		u, err := url.Parse(target)
		if err != nil {
			return usageError{fmt.Errorf("%q is no URL: %w", target, err)}
		}
		if a.scheme = strings.ToLower(u.Scheme); a.scheme != "http" && a.scheme != "https" {
			return usageError{fmt.Errorf("%q is no URL of HTTP: it begins with http:// or https://", target)}
		}
		a.host, a.port = u.Host, u.Port()
		a.sni = strings.ToLower(config.ASCIIHost(u.Hostname()))
		at := strings.IndexAny(rest, "/?")
		switch {
		case at < 0:
			target = "/"
		case rest[at] == '?':
			target = "/" + rest[at:]
		default:
			target = rest[at:]
		}
	}
	if !strings.HasPrefix(target, "/") {
		return usageError{fmt.Errorf("%q is neither a URL nor a path: a path begins with /", target)}
	}
	a.path = target
	if at := strings.IndexByte(target, '?'); at >= 0 {
		a.path, a.query = target[:at], target[at:]
	}
	return nil
}

// request is a as routes see it, once its path is normal.
func (a *asked) request(path []byte) *route.Request {
	return &route.Request{
		Host: []byte(a.host), Method: []byte(a.method), Path: path, Query: []byte(a.query), Fields: a.fields,
	}
}

// givenFields are header fields by canonical name.
type givenFields map[string][]string

// Has implements route.Fields.
func (f givenFields) Has(name string) bool { return len(f[name]) > 0 }

// Is implements route.Fields.
func (f givenFields) Is(name, value string) bool {
	return f.Has(name) && strings.Join(f[name], ", ") == value
}

var errExplainArgs = errors.New("explain takes a URL or path, and a method before it if you like: rgate explain GET /api/orders")
