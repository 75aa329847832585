//go:build linux

package conformance

import (
	"fmt"
	"strings"
	"testing"

	"rgate/internal/rig"
)

// A response case is bytes from an endpoint that then closes.
type responseCase struct {
	section string
	name    string
	method  string
	raw     string
	answers string // the statuses that the client gets, in order
	body    string // what its bytes end with
	not     string // what must not be among them
}

var responseCases = []responseCase{
	{"9112 6.2", "length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "[200]", "\r\n\r\nhi", ""},
	{"9112 6.3", "more than its length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n\r\n", "[200]", "\r\n\r\nhi", ""},
	{"9112 7.1", "chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "[200]", "hi\r\n0\r\n\r\n", ""},
	{"9112 6.3", "until close", "GET", "HTTP/1.1 200 OK\r\n\r\nhi", "[200]", "hi\r\n0\r\n\r\n", ""},
	{"9112 8", "truncated chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi", "[200]", "", "\r\n0\r\n"},
	{"9112 8", "short of its length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", "[200]", "hi", ""},
	{"9112 7.1", "bad chunk size", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "[200]", "", "\r\n0\r\n"},
	{"9112 6.3", "both lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "[502]", "", ""},
	{"9112 6.3", "two lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi", "[502]", "", ""},
	{"9112 4", "no status line", "GET", "hello\r\n\r\n", "[502]", "", ""},
	{"9112 4", "large head", "GET", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 20_000) + "\r\nContent-Length: 2\r\n\r\nhi", "[200]", "hi", ""},
	{"9112 7.1", "large head before chunks", "GET", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 20_000) + "\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "[200]", "hi\r\n0\r\n\r\n", ""},
	{"9110 15.3.5", "204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "[204]", "\r\n\r\n", "Content-Length"},
	{"9110 15.4.5", "304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "[304]", "Content-Length: 5\r\nConnection: close\r\n\r\n", ""},
	{"9112 2.2", "bare LF", "GET", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "[502]", "", ""},
	{"9112 2.2", "bare LF in the fields", "GET", "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\r\n\r\nhi", "[502]", "", ""},
	{"9112 6.3", "two equal lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", "[502]", "", ""},
	{"9112 5.2", "folded value", "GET", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nhi", "[502]", "", ""},
	{"9110 9.3.2", "HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "[200]", "\r\n\r\n", ""},
	{"9110 15.2", "early hints", "GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "[103 200]", "hi", ""},
	{"9110 15.2.1", "100 unasked", "GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "[200]", "hi", ""},
	{"9110 7.8", "101 unasked", "GET", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "[502]", "", ""},
	{"9110 7.6.1", "hop-by-hop field", "GET", "HTTP/1.1 200 OK\r\nConnection: X-Drop\r\nX-Drop: 1\r\nContent-Length: 2\r\n\r\nhi", "[200]", "hi", "X-Drop"},
}

func TestResponses(t *testing.T) { testResponses(t, responseCases) }

func testResponses(t *testing.T, cases []responseCase) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			for _, f := range cases {
				t.Run(f.section+" "+f.name, func(t *testing.T) {
					r := record(t, f.raw)
					got := exchange(t, start(t, kind, r.addr), f.method+" / HTTP/1.1\r\n"+host+end)
					if s := fmt.Sprint(statuses(got, f.method)); s != f.answers {
						t.Errorf("the client got %s, want %s: %q", s, f.answers, got)
					}
					if !strings.HasSuffix(got, f.body) || f.not != "" && strings.Contains(got, f.not) {
						t.Errorf("the client got %q", got)
					}
				})
			}
		})
	}
}
