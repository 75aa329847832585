//go:build linux

package conformance

import (
	"fmt"
	"testing"

	"rgate/internal/rig"
)

// What follows is what net/http's and ReverseProxy's own suites hold, brought
// to a gateway. The section is Go's issue, or the test's name.

func TestRequestsOfNetHTTP(t *testing.T)  { testRequests(t, netHTTPRequests) }
func TestResponsesOfNetHTTP(t *testing.T) { testResponses(t, netHTTPResponses) }

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

var netHTTPRequests = []requestCase{
	// TestServerValidatesHostHeader: golang.org/issue/11206 and 13624. An empty
	// Host is fine there; nothing can be forwarded for it.
	{"go 11206", "IPv4 Host", get + "Host: 1.2.3.4\r\n" + end, "[200]", root},
	{"go 11206", "Host with _ and -", get + "Host: foo-bar_baz.com\r\n" + end, "[200]", root},
	{"go 11206", "Host with a port", get + "Host: foo.com:80\r\n" + end, "[200]", root},
	{"go 11206", "IPv6 Host", get + "Host: [::1]\r\n" + end, "[200]", root},
	{"go 11206", "IPv6 Host with a port", get + "Host: [::1]:80\r\n" + end, "[200]", root},
	{"go 11206", "control in Host", get + "Host: \x06\r\n" + end, "[400]", none},
	{"go 11206", "high byte in Host", get + "Host: \xff\r\n" + end, "[400]", none},
	{"go 11206", "brace in Host", get + "Host: {\r\n" + end, "[400]", none},
	{"go 11206", "closing brace in Host", get + "Host: }\r\n" + end, "[400]", none},
	{"go 13624", "two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "[400]", none},
	{"go 13624", "high byte in Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: \xff\r\n\r\n", "[400]", none},
	{"go 13624", "empty Host", get + "Host: \r\n" + end, "[400]", none},
	{"go 13624", "HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", "[505]", none},
	{"go 13624", "HTTP/3.0", "GET / HTTP/3.0\r\n" + host + end, "[505]", none},
	{"go 13624", "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "[505]", none},
	{"go 18319", "ill-formed method", "GE(T / HTTP/1.1\r\n" + host + end, "[400]", none},
	{"go 18319", "unknown method", "BREW / HTTP/1.1\r\n" + host + end, "[200]", []string{"BREW / "}},
	{"go 22464", "tab before the first field", get + "\t" + host + end, "[400]", none},

	// TestUnsupportedTransferEncodingsReturn501: golang.org/issue/30710.
	{"go 30710", "unknown coding", post + "Transfer-Encoding: fugazi\r\n" + end, "[501]", none},
	{"go 30710", "quoted coding", post + "Transfer-Encoding: \" chunked\"\r\n" + end, "[400]", none},
	{"go 30710", "coding behind a vertical tab", post + "Transfer-Encoding: \x0bchunked\r\n" + end, "[400]", none},
	{"go 34540", "space before the colon of a coding", post + "Transfer-Encoding : chunked\r\n" + end, "[400]", none},

	// golang.org/issue/39017 and net/http's Test_parseContentLength.
	{"go 39017", "negative length", post + "Content-Length: -1\r\n" + end, "[400]", none},
	{"go 39017", "hexadecimal length", post + "Content-Length: 0x1\r\n" + end + "a", "[400]", none},
	{"go 39017", "list of lengths", post + "Content-Length: 1, 1\r\n" + end + "a", "[400]", none},
	{"go 39017", "empty length", post + "Content-Length: \r\n" + end, "[400]", none},
	{"go 39017", "length with a space", post + "Content-Length: 1 1\r\n" + end + "a", "[400]", none},

	{"go 25192", "semicolon in the query", "GET /?a=1;b=2 HTTP/1.1\r\n" + host + end, "[200]", []string{"GET /?a=1;b=2 "}},
	{"ReverseProxyQueryParameterSmuggling", "bad escape in the query", "GET /?a=%zz&b=1 HTTP/1.1\r\n" + host + end, "[200]", []string{"GET /?a=%zz&b=1 "}},
	{"go 27302", "control in the target", "GET /a\x01 HTTP/1.1\r\n" + host + end, "[400]", none},
	{"go 27302", "DEL in the target", "GET /a\x7f HTTP/1.1\r\n" + host + end, "[400]", none},
	{"go 27302", "space in the target", "GET /a b HTTP/1.1\r\n" + host + end, "[400]", none},
	{"go 6658", "bad escape in the path", "GET /%zz HTTP/1.1\r\n" + host + end, "[400]", none},

	{"go 7625", "100-continue without a body", get + host + "Expect: 100-continue\r\n" + end, "[200]", root},
	{"ServerExpect", "100-continue in any case", post + "Expect: 100-cOntInUE\r\nContent-Length: 1\r\n" + end + "a", "[200]", []string{"POST / a"}},
	{"go 8261", "HEAD that closes", "HEAD / HTTP/1.1\r\n" + host + "Content-Length: 0\r\n" + end, "[200]", []string{"HEAD / "}},
	{"go 900", "body of a GET before the next", "GET /1 HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n" + host + end, "[200 200]", []string{"GET /1 abc", "GET /2 "}},
	{"go 15647", "keep-alive in HTTP/1.0", "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n", "[200 200]", []string{"GET /1 ", "GET /2 "}},
	{"go 71988", "chunk size ended by LF", post + chunked + end + "1\na\r\n0\r\n\r\n", "[400]", none},
	{"go 48861", "huge chunk", post + chunked + end + "10000000000000000\r\na", "[400]", none},
	{"go 48861", "negative chunk", post + chunked + end + "-1\r\na", "[400]", none},
	{"textproto", "empty field name", get + host + ": x\r\n" + end, "[400]", none},
	{"textproto", "space in a field name", get + host + "a b: x\r\n" + end, "[400]", none},
	{"textproto", "field without a colon", get + host + "abc\r\n" + end, "[400]", none},
}

var netHTTPResponses = []responseCase{
	// TestReadResponseErrors.
	{"ReadResponseErrors", "status of two digits", "GET", "HTTP/1.1 20 OK\r\n\r\n", "[502]", "", ""},
	{"ReadResponseErrors", "status of four digits", "GET", "HTTP/1.1 1000 OK\r\n\r\n", "[502]", "", ""},
	{"ReadResponseErrors", "negative status", "GET", "HTTP/1.1 -10 OK\r\n\r\n", "[502]", "", ""},
	{"ReadResponseErrors", "negative version", "GET", "HTTP/1.-1 200 OK\r\n\r\n", "[502]", "", ""},
	{"ReadResponseErrors", "version in letters", "GET", "HTTP/A.B 200 OK\r\n\r\n", "[502]", "", ""},
	{"ReadResponseErrors", "version in small letters", "GET", "http/1.1 200 OK\r\n\r\n", "[502]", "", ""},
	{"ReadResponseErrors", "empty length", "GET", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "[502]", "", ""},
	{"ReadResponseErrors", "two lengths with 204", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 7\r\nContent-Length: 8\r\n\r\n", "[502]", "", ""},
	{"ReadResponseErrors", "two lengths with 304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 880\r\nContent-Length: 1\r\n\r\n", "[502]", "", ""},
	{"go 22464", "space before the first field", "GET", "HTTP/1.1 200 OK\r\n Content-Type: a\r\nA: b\r\n\r\n", "[502]", "", ""},
	{"go 22464", "tab before the first field", "GET", "HTTP/1.1 200 OK\r\n\tContent-Type: a\r\nA: b\r\n\r\n", "[502]", "", ""},
	{"go 39017", "signed length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi", "[502]", "", ""},
	{"go 17739", "unknown interim answer", "GET", "HTTP/1.1 123 Odd\r\n\r\n" + okAnswer, "[123 200]", "\r\n\r\nhi", ""},
	{"1xxResponses", "early hints twice", "GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n" + okAnswer, "[103 103 200]", "\r\n\r\nhi", ""},
	{"go 8840", "keep-alive and close", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, close\r\n\r\nhi", "[200]", "\r\n\r\nhi", "keep-alive"},
	{"go 8840", "keep-alive and close in two fields", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\nConnection: close\r\n\r\nhi", "[200]", "\r\n\r\nhi", "keep-alive"},
	{"go 12785", "chunked in HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "[502]", "", ""},
	{"go 48861", "chunk cut in its size", "GET", "HTTP/1.1 200 OK\r\n" + chunked + "\r\n2\r\nhi\r\n5", "[200]", "", "\r\n0\r\n"},
	{"go 71988", "chunk size ended by LF", "GET", "HTTP/1.1 200 OK\r\n" + chunked + "\r\n2\r\nhi\r\n2\nho\r\n0\r\n\r\n", "[200]", "", "\r\n0\r\n"},
	{"UnannouncedTrailer", "trailer", "GET", "HTTP/1.1 200 OK\r\n" + chunked + "\r\n2\r\nhi\r\n0\r\nX-T: v\r\n\r\n", "[200]", "0\r\nX-T: v\r\n\r\n", ""},
	{"go 22330", "answer without a reason", "GET", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", "[200]", "\r\n\r\nhi", ""},
	{"ReverseProxy", "length of a HEAD's answer", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "[200]", "\r\n\r\n", "hello"},
	{"go 16875", "hop-by-hop fields of an answer", "GET", "HTTP/1.1 200 OK\r\nConnection: X-A\r\nConnection: X-B\r\nX-A: drop\r\nX-B: drop\r\nContent-Length: 2\r\n\r\nhi", "[200]", "hi", "drop"},
}

// TestRequestFieldsOfNetHTTP holds what becomes of a request's fields; nil is
// that the endpoint gets none of the name.
func TestRequestFieldsOfNetHTTP(t *testing.T) {
	for _, f := range []struct {
		section, fields string
		want            map[string][]string
	}{
		{"go 15524", "", map[string][]string{"User-Agent": nil, "Accept-Encoding": nil, "Accept": nil}},
		{"go 15524", "User-Agent: explicit\r\n", map[string][]string{"User-Agent": {"explicit"}}},
		{"go 16875", "Connection: X-A, X-B\r\nConnection: x-c\r\nX-A: 1\r\nX-B: 1\r\nX-C: 1\r\nX-D: 1\r\n", map[string][]string{"X-A": nil, "X-B": nil, "X-C": nil, "X-D": {"1"}}},
		{"go 46313", "Connection: \r\nX-A: 1\r\n", map[string][]string{"X-A": {"1"}}},
		{"go 46313", "Connection: ,, ,X-A\r\nX-A: 1\r\n", map[string][]string{"X-A": nil}},
		{"ReverseProxy", "Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\n", map[string][]string{"Keep-Alive": nil, "Proxy-Connection": nil}},
		{"CGI", "Proxy: http://x/\r\npROXY: http://y/\r\nProxied: 1\r\n", map[string][]string{"Proxy": nil, "Proxied": {"1"}}},
		{"ReverseProxy", "Connection: close, X-A\r\nX-A: 1\r\nUpgrade: foo\r\n", map[string][]string{"Upgrade": nil, "X-A": nil, "Connection": nil}},
		{"go 19248", "Accept-Encoding: GZIP\r\n", map[string][]string{"Accept-Encoding": {"GZIP"}}},
		{"ClonesRequestHeaders", "Cookie: a=1\r\nCookie: b=2\r\nX-A: 1\r\nX-A: 2\r\n", map[string][]string{"Cookie": {"a=1", "b=2"}, "X-A": {"1", "2"}}},
	} {
		for _, kind := range rig.Engines {
			t.Run(fmt.Sprintf("%s %s %q", kind, f.section, f.fields), func(t *testing.T) {
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
