//go:build linux

package conformance

import (
	"fmt"
	"testing"

	"rgate/internal/rig"
)

// What follows are the corners of the grammar, and of what a gateway does with
// fields, each of which some server or proxy got wrong once.

func TestCornersOfRequests(t *testing.T)  { testRequests(t, cornerRequests) }
func TestCornersOfResponses(t *testing.T) { testResponses(t, cornerResponses) }

const (
	get      = "GET / HTTP/1.1\r\n"
	post     = "POST / HTTP/1.1\r\n" + host
	chunked  = "Transfer-Encoding: chunked\r\n"
	okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
)

var (
	root = []string{"GET / "}
	none []string
)

var cornerRequests = []requestCase{
	// An empty Host is fine to some; nothing can be forwarded for it.
	{"9110 7.2", "IPv4 Host", get + "Host: 1.2.3.4\r\n" + end, "[200]", root},
	{"9110 7.2", "Host with _ and -", get + "Host: foo-bar_baz.com\r\n" + end, "[200]", root},
	{"9110 7.2", "Host with a port", get + "Host: foo.com:80\r\n" + end, "[200]", root},
	{"9110 7.2", "IPv6 Host", get + "Host: [::1]\r\n" + end, "[200]", root},
	{"9110 7.2", "IPv6 Host with a port", get + "Host: [::1]:80\r\n" + end, "[200]", root},
	{"9110 7.2", "control in Host", get + "Host: \x06\r\n" + end, "[400]", none},
	{"9110 7.2", "high byte in Host", get + "Host: \xff\r\n" + end, "[400]", none},
	{"9110 7.2", "brace in Host", get + "Host: {\r\n" + end, "[400]", none},
	{"9110 7.2", "closing brace in Host", get + "Host: }\r\n" + end, "[400]", none},
	{"9112 3.2", "two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "[400]", none},
	{"9110 7.2", "high byte in Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: \xff\r\n\r\n", "[400]", none},
	{"9110 7.2", "empty Host", get + "Host: \r\n" + end, "[400]", none},
	{"9110 2.5", "HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", "[505]", none},
	{"9110 2.5", "HTTP/3.0", "GET / HTTP/3.0\r\n" + host + end, "[505]", none},
	{"9110 2.5", "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "[505]", none},
	{"9110 9.1", "ill-formed method", "GE(T / HTTP/1.1\r\n" + host + end, "[400]", none},
	{"9110 9.1", "unknown method", "BREW / HTTP/1.1\r\n" + host + end, "[200]", []string{"BREW / "}},
	{"9112 2.2", "tab before the first field", get + "\t" + host + end, "[400]", none},

	{"9112 6.1", "unknown coding", post + "Transfer-Encoding: fugazi\r\n" + end, "[501]", none},
	{"9112 7", "quoted coding", post + "Transfer-Encoding: \" chunked\"\r\n" + end, "[400]", none},
	{"9112 7", "coding behind a vertical tab", post + "Transfer-Encoding: \x0bchunked\r\n" + end, "[400]", none},
	{"9112 5.1", "space before the colon of a coding", post + "Transfer-Encoding : chunked\r\n" + end, "[400]", none},

	{"9110 8.6", "negative length", post + "Content-Length: -1\r\n" + end, "[400]", none},
	{"9110 8.6", "hexadecimal length", post + "Content-Length: 0x1\r\n" + end + "a", "[400]", none},
	{"9110 8.6", "list of lengths", post + "Content-Length: 1, 1\r\n" + end + "a", "[400]", none},
	{"9110 8.6", "empty length", post + "Content-Length: \r\n" + end, "[400]", none},
	{"9110 8.6", "length with a space", post + "Content-Length: 1 1\r\n" + end + "a", "[400]", none},

	{"3986 3.4", "semicolon in the query", "GET /?a=1;b=2 HTTP/1.1\r\n" + host + end, "[200]", []string{"GET /?a=1;b=2 "}},
	{"3986 3.4", "bad escape in the query", "GET /?a=%zz&b=1 HTTP/1.1\r\n" + host + end, "[200]", []string{"GET /?a=%zz&b=1 "}},
	{"9112 3.2", "control in the target", "GET /a\x01 HTTP/1.1\r\n" + host + end, "[400]", none},
	{"9112 3.2", "DEL in the target", "GET /a\x7f HTTP/1.1\r\n" + host + end, "[400]", none},
	{"9112 3.2", "space in the target", "GET /a b HTTP/1.1\r\n" + host + end, "[400]", none},
	{"3986 2.1", "bad escape in the path", "GET /%zz HTTP/1.1\r\n" + host + end, "[400]", none},

	{"9110 10.1.1", "100-continue without a body", get + host + "Expect: 100-continue\r\n" + end, "[200]", root},
	{"9110 10.1.1", "100-continue in any case", post + "Expect: 100-cOntInUE\r\nContent-Length: 1\r\n" + end + "a", "[200]", []string{"POST / a"}},
	{"9112 9.6", "HEAD that closes", "HEAD / HTTP/1.1\r\n" + host + "Content-Length: 0\r\n" + end, "[200]", []string{"HEAD / "}},
	{"9112 6.2", "body of a GET before the next", "GET /1 HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n" + host + end, "[200 200]", []string{"GET /1 abc", "GET /2 "}},
	{"9112 9.3", "keep-alive in HTTP/1.0", "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n", "[200 200]", []string{"GET /1 ", "GET /2 "}},
	{"9112 7.1", "chunk size ended by LF", post + chunked + end + "1\na\r\n0\r\n\r\n", "[400]", none},
	{"9112 7.1", "huge chunk", post + chunked + end + "10000000000000000\r\na", "[400]", none},
	{"9112 7.1", "negative chunk", post + chunked + end + "-1\r\na", "[400]", none},
	{"9110 5.1", "empty field name", get + host + ": x\r\n" + end, "[400]", none},
	{"9110 5.1", "space in a field name", get + host + "a b: x\r\n" + end, "[400]", none},
	{"9112 5", "field without a colon", get + host + "abc\r\n" + end, "[400]", none},
}

var cornerResponses = []responseCase{
	{"9112 4", "status of two digits", "GET", "HTTP/1.1 20 OK\r\n\r\n", "[502]", "", ""},
	{"9112 4", "status of four digits", "GET", "HTTP/1.1 1000 OK\r\n\r\n", "[502]", "", ""},
	{"9112 4", "negative status", "GET", "HTTP/1.1 -10 OK\r\n\r\n", "[502]", "", ""},
	{"9112 2.3", "negative version", "GET", "HTTP/1.-1 200 OK\r\n\r\n", "[502]", "", ""},
	{"9112 2.3", "version in letters", "GET", "HTTP/A.B 200 OK\r\n\r\n", "[502]", "", ""},
	{"9112 2.3", "version in small letters", "GET", "http/1.1 200 OK\r\n\r\n", "[502]", "", ""},
	{"9110 8.6", "empty length", "GET", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "[502]", "", ""},
	{"9112 6.3", "two lengths with 204", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 7\r\nContent-Length: 8\r\n\r\n", "[502]", "", ""},
	{"9112 6.3", "two lengths with 304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 880\r\nContent-Length: 1\r\n\r\n", "[502]", "", ""},
	{"9112 2.2", "space before the first field", "GET", "HTTP/1.1 200 OK\r\n Content-Type: a\r\nA: b\r\n\r\n", "[502]", "", ""},
	{"9112 2.2", "tab before the first field", "GET", "HTTP/1.1 200 OK\r\n\tContent-Type: a\r\nA: b\r\n\r\n", "[502]", "", ""},
	{"9110 8.6", "signed length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi", "[502]", "", ""},
	{"9110 15.2", "unknown interim answer", "GET", "HTTP/1.1 123 Odd\r\n\r\n" + okAnswer, "[123 200]", "\r\n\r\nhi", ""},
	{"9110 15.2", "early hints twice", "GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n" + okAnswer, "[103 103 200]", "\r\n\r\nhi", ""},
	{"9112 9.6", "keep-alive and close", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, close\r\n\r\nhi", "[200]", "\r\n\r\nhi", "keep-alive"},
	{"9112 9.6", "keep-alive and close in two fields", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\nConnection: close\r\n\r\nhi", "[200]", "\r\n\r\nhi", "keep-alive"},
	{"9112 6.1", "chunked in HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "[502]", "", ""},
	{"9112 8", "chunk cut in its size", "GET", "HTTP/1.1 200 OK\r\n" + chunked + "\r\n2\r\nhi\r\n5", "[200]", "", "\r\n0\r\n"},
	{"9112 7.1", "chunk size ended by LF", "GET", "HTTP/1.1 200 OK\r\n" + chunked + "\r\n2\r\nhi\r\n2\nho\r\n0\r\n\r\n", "[200]", "", "\r\n0\r\n"},
	{"9110 6.5", "trailer", "GET", "HTTP/1.1 200 OK\r\n" + chunked + "\r\n2\r\nhi\r\n0\r\nX-T: v\r\n\r\n", "[200]", "0\r\nX-T: v\r\n\r\n", ""},
	{"9112 4", "answer without a reason", "GET", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", "[200]", "\r\n\r\nhi", ""},
	{"9110 9.3.2", "length of a HEAD's answer", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "[200]", "\r\n\r\n", "hello"},
	{"9110 7.6.1", "hop-by-hop fields of an answer", "GET", "HTTP/1.1 200 OK\r\nConnection: X-A\r\nConnection: X-B\r\nX-A: drop\r\nX-B: drop\r\nContent-Length: 2\r\n\r\nhi", "[200]", "hi", "drop"},
}

// TestCornersOfRequestFields holds what becomes of a request's fields; nil is
// that the endpoint gets none of the name.
func TestCornersOfRequestFields(t *testing.T) {
	for _, f := range []struct {
		name, fields string
		want         map[string][]string
	}{
		{"nothing is made up", "", map[string][]string{"User-Agent": nil, "Accept-Encoding": nil, "Accept": nil}},
		{"User-Agent", "User-Agent: explicit\r\n", map[string][]string{"User-Agent": {"explicit"}}},
		{"nominated in two fields", "Connection: X-A, X-B\r\nConnection: x-c\r\nX-A: 1\r\nX-B: 1\r\nX-C: 1\r\nX-D: 1\r\n", map[string][]string{"X-A": nil, "X-B": nil, "X-C": nil, "X-D": {"1"}}},
		{"empty Connection", "Connection: \r\nX-A: 1\r\n", map[string][]string{"X-A": {"1"}}},
		{"empty options", "Connection: ,, ,X-A\r\nX-A: 1\r\n", map[string][]string{"X-A": nil}},
		{"of this connection only", "Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\n", map[string][]string{"Keep-Alive": nil, "Proxy-Connection": nil}},
		{"what CGI takes for its proxy", "Proxy: http://x/\r\npROXY: http://y/\r\nProxied: 1\r\n", map[string][]string{"Proxy": nil, "Proxied": {"1"}}},
		{"an offer to upgrade", "Connection: close, X-A\r\nX-A: 1\r\nUpgrade: foo\r\n", map[string][]string{"Upgrade": nil, "X-A": nil, "Connection": nil}},
		{"Accept-Encoding", "Accept-Encoding: GZIP\r\n", map[string][]string{"Accept-Encoding": {"GZIP"}}},
		{"repeated fields", "Cookie: a=1\r\nCookie: b=2\r\nX-A: 1\r\nX-A: 2\r\n", map[string][]string{"Cookie": {"a=1", "b=2"}, "X-A": {"1", "2"}}},
	} {
		for _, kind := range rig.Ways {
			t.Run(fmt.Sprintf("%s %s %q", kind, f.name, f.fields), func(t *testing.T) {
				r := record(t, "")
				got := exchange(t, start(t, kind, r.addr), get+host+f.fields+end)
				if len(r.headers) != 1 {
					t.Fatalf("the endpoint got %d requests, the client %q", len(r.headers), got)
				}
				for name, want := range f.want {
					if values := r.headers[0].Values(name); fmt.Sprintf("%q", values) != fmt.Sprintf("%q", want) {
						t.Errorf("%s: got %q, want %q", name, values, want)
					}
				}
			})
		}
	}
}
