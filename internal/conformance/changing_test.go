//go:build linux

package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// changing is a file of policies that change what passes; the endpoint's address
// stands for %s.
const changing = `
policies:
  - name: marked
    headers:
      request: {set: {X-From: "{client_ip} {host} {scheme} {method}"}, remove: [X-Secret], add: {X-Tag: b}}
      response: {set: {X-Path: "{path}"}, remove: [X-Internal]}
defaults: {policies: [{secure_headers: true}]}
routes:
  - {path_prefix: /api, backend: b, strip_prefix: /api, policies: [marked]}
  - {path_prefix: /outer, backend: b, strip_prefix: /outer, add_prefix: /inner}
  - {path_prefix: /bare, backend: b, policies_only: []}
  - {path_prefix: /late, backend: b, strip_prefix: /late, policies: [{add_prefix: /one}, {add_prefix: /the-second}]}
  - {path_prefix: /old, redirect: {to: "/new{path}", status: 301}}
  - {path_prefix: /away, redirect: {to: "https://{host}:8443{path}?from=here"}, ip: {deny: [192.0.2.0/24]}}
  - {path_prefix: /robots.txt, respond: {body: "User-agent: *\n"}}
  - {path_prefix: /robots.txt/no, respond: {body: hi}, ip: {deny: [127.0.0.0/8]}}
  - {path_prefix: /gone, respond: {status: 410}, policies: [{headers: {response: {set: {Content-Type: text/html, X-Why: "{path}"}}}}]}
backends: [{name: b, endpoints: ["%s"]}]
`

// showing is an endpoint that answers with the head it got. What a request has in
// its fields Answer-… becomes a field of the answer.
func showing(t *testing.T) string {
	return ends.Talk(t, func(c net.Conn, r *bufio.Reader) {
		for {
			q, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, q.Body)
			var head, body strings.Builder
			for name, values := range q.Header {
				for _, v := range values {
					if field, ok := strings.CutPrefix(name, "Answer-"); ok {
						fmt.Fprintf(&head, "%s: %s\r\n", field, v)
					} else {
						fmt.Fprintf(&body, "%s: %s\n", name, v)
					}
				}
			}
			for name, values := range q.Trailer {
				fmt.Fprintf(&body, "trailer %s: %s\n", name, values[0])
			}
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head.String(), body.Len()+len(q.RequestURI)+1, q.RequestURI+"\n"+body.String())
		}
	})
}

// changes are requests, and what becomes of them.
var changes = []struct {
	request string
	status  int
	answer  []string // fields of the answer that are there; !Name for one that is not
	got     []string // lines of what the endpoint got, the same way; nil where it got nothing
}{
	{"GET /api/x?y HTTP/1.1\r\nHost: h:80\r\nX-Secret: s\r\nx_secret: s\r\nX-Tag: a\r\nx-from: me\r\nAnswer-X-Internal: 1\r\nAnswer-Server: mine", 200,
		[]string{"X-Path: /api/x", "!X-Internal", "!Server", "X-Content-Type-Options: nosniff"},
		[]string{"/x?y", "X-From: 127.0.0.1 h http GET", "!X-Secret", "!X_secret", "X-Tag: a", "X-Tag: b", "X-Forwarded-Prefix: /api"}},
	{"GET /api HTTP/1.1\r\nHost: h", 200, nil, []string{"/"}},
	// What is not below the prefix has nothing taken off, so that nothing is changed back.
	{"GET /apiary HTTP/1.1\r\nHost: h\r\nAnswer-Location: /apiary/\r\nAnswer-Set-Cookie: a=b; Path=/apiary", 200,
		[]string{"Location: /apiary/", "Set-Cookie: a=b; Path=/apiary"}, []string{"/apiary", "!X-Forwarded-Prefix"}},
	{"GET /late/x HTTP/1.1\r\nHost: h\r\nAnswer-Location: /the-second/one/y", 200, []string{"Location: /late/y"}, []string{"/the-second/one/x"}},
	{"GET /late/%61/./x HTTP/1.1\r\nHost: h", 200, nil, []string{"/the-second/one/a/x"}},
	{"GET /late HTTP/1.1\r\nHost: h", 200, nil, []string{"/the-second/one/"}},
	{"GET /later HTTP/1.1\r\nHost: h\r\nAnswer-Location: /the-second/one/y", 200, []string{"Location: /y"}, []string{"/the-second/one/later", "!X-Forwarded-Prefix"}},
	{"GET /api/x HTTP/1.1\r\nHost: h\r\nAnswer-Location: /login?next=http://h/x\r\nAnswer-Content-Location: /in/http://h/x\r\nAnswer-Set-Cookie: __Host-a=b; Path=/; Secure", 200,
		[]string{"Location: /api/login?next=http://h/x", "Content-Location: /api/in/http://h/x", "Set-Cookie: __Host-a=b; Path=/; Secure"}, []string{"/x"}},
	{"GET /api/x HTTP/1.1\r\nHost: h\r\nAnswer-Location: app://h/x\r\nAnswer-Content-Location: HTTPS://h/x", 200,
		[]string{"Location: app://h/x", "Content-Location: HTTPS://h/api/x"}, []string{"/x"}},
	{"GET /%61pi/./a%2fb/../c HTTP/1.1\r\nHost: h", 200, nil, []string{"/c"}},
	{"GET /api/..%2fx HTTP/1.1\r\nHost: h", 400, nil, nil},
	{"GET /%61pi/./a/../c HTTP/1.1\r\nHost: h\r\nX-Forwarded-Prefix: /evil", 200, []string{"X-Path: /api/c"}, []string{"/c", "X-Forwarded-Prefix: /api"}},
	{"GET /api/x HTTP/1.1\r\nHost: h\r\nAnswer-Location: /login?to=/x\r\nAnswer-Content-Location: http://h/x\r\nAnswer-Set-Cookie: a=/b; Path=/; HttpOnly", 200,
		[]string{"Location: /api/login?to=/x", "Content-Location: http://h/api/x", "Set-Cookie: a=/b; Path=/api; HttpOnly"}, []string{"/x"}},
	{"GET /api/x HTTP/1.1\r\nHost: h\r\nAnswer-Location: http://other/x\r\nAnswer-Content-Location: //h/x\r\nAnswer-Set-Cookie: a=b; path=/x/; Domain=h", 200,
		[]string{"Location: http://other/x", "Content-Location: //h/x", "Set-Cookie: a=b; path=/api/x/; Domain=h"}, []string{"/x"}},
	{"GET /api/x HTTP/1.1\r\nHost: h\r\nAnswer-Location: next\r\nAnswer-Content-Location: http://h?q\r\nAnswer-Set-Cookie: a=b", 200,
		[]string{"Location: next", "Content-Location: http://h/api/?q", "Set-Cookie: a=b"}, []string{"/x"}},
	{"GET /outer/x HTTP/1.1\r\nHost: h\r\nAnswer-Location: /inner/y\r\nAnswer-Content-Location: /z", 200,
		[]string{"Location: /outer/y", "Content-Location: /outer/z"}, []string{"/inner/x", "X-Forwarded-Prefix: /outer"}},
	{"GET /bare HTTP/1.1\r\nHost: h\r\nX-Secret: s\r\nAnswer-Server: mine", 200, []string{"Server: mine", "!X-Frame-Options"}, []string{"X-Secret: s", "!X-Forwarded-Prefix"}},
	{"GET /old/a?b=c HTTP/1.1\r\nHost: h", 301, []string{"Location: /new/old/a?b=c", "X-Frame-Options: SAMEORIGIN", "!X-Rgate-Reason"}, nil},
	{"GET /old//evil.example HTTP/1.1\r\nHost: h", 301, []string{"Location: /new/old//evil.example"}, nil},
	{"POST /away HTTP/1.1\r\nHost: h:80\r\nContent-Length: 2\r\n\r\nhi", 308, []string{"Location: https://h:8443/away?from=here"}, nil},
	{"GET /robots.txt HTTP/1.1\r\nHost: h", 200, []string{"Content-Type: text/plain; charset=utf-8", "Content-Length: 14"}, nil},
	{"GET /robots.txt/no HTTP/1.1\r\nHost: h", 403, []string{"X-Rgate-Reason: client_denied", "X-Frame-Options: SAMEORIGIN"}, nil},
	{"HEAD /robots.txt HTTP/1.1\r\nHost: h", 200, []string{"Content-Length: 14"}, nil},
	{"GET /gone HTTP/1.1\r\nHost: h", 410, []string{"Content-Type: text/html", "X-Why: /gone", "Content-Length: 0"}, nil},
}

func TestPoliciesThatChange(t *testing.T) {
	perEngine(t, func(t *testing.T, engine string) {
		cfg, err := config.Parse("config.yml", fmt.Appendf(nil, changing, showing(t)), nil)
		if err != nil {
			t.Fatal(err)
		}
		g := rig.Start(t, engine, func(c *config.Config) { c.Routes, c.Backends = cfg.Routes, cfg.Backends })
		c := dialClient(t, g.Addr)
		for _, row := range changes {
			end := "\r\n\r\n"
			if strings.Contains(row.request, end) {
				end = ""
			}
			fmt.Fprint(c, row.request+end)
			res, err := http.ReadResponse(c.in, &http.Request{Method: strings.Fields(row.request)[0]})
			if err != nil {
				t.Fatalf("%q: %v", row.request, err)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatalf("%q: %v", row.request, err)
			}
			var fields []string
			for name, values := range res.Header {
				for _, v := range values {
					fields = append(fields, name+": "+v)
				}
			}
			var lines []string
			if res.StatusCode == 200 && row.got != nil {
				lines = strings.Split(string(body), "\n")
			}
			if res.StatusCode != row.status || !holds(fields, row.answer) || !holds(lines, row.got) {
				t.Errorf("%q: %d %q %q", row.request, res.StatusCode, fields, body)
			}
		}
		ends.Until(t, "the end of all exchanges", func() bool { return g.Gate.Table().Total().InFlight == 0 })
	})
}

// holds tells whether the lines are there that are wanted, and none whose name
// is wanted not to be.
func holds(lines, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(want string) bool {
		if name, ok := strings.CutPrefix(want, "!"); ok {
			return slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+":") })
		}
		return !slices.Contains(lines, want)
	})
}
