//go:build linux

package conformance

import (
	"fmt"
	"strings"
	"testing"

	"rgate/internal/rig"
)

// A request case is bytes on a client's connection.
type requestCase struct {
	section string
	name    string
	raw     string
	answers string   // the statuses that the client gets, in order
	seen    []string // what the endpoint gets: method, target and body
}

const (
	end  = "Connection: close\r\n\r\n"
	host = "Host: x\r\n"
)

var requestCases = []requestCase{
	{"9112 2.2", "plain", "GET /a?b HTTP/1.1\r\n" + host + end, "[200]", []string{"GET /a?b "}},
	{"9112 2.2", "one empty line first", "\r\nGET / HTTP/1.1\r\n" + host + end, "[200]", []string{"GET / "}},
	{"9112 2.2", "bare LF", "GET / HTTP/1.1\n" + host + end, "[400]", nil},
	{"9112 2.2", "bare CR in a value", "GET / HTTP/1.1\r\nA: b\rc\r\n" + host + end, "[400]", nil},
	{"9110 5.5", "NUL in a value", "GET / HTTP/1.1\r\nA: b\x00c\r\n" + host + end, "[400]", nil},
	{"9112 5.1", "space before colon", "GET / HTTP/1.1\r\nA : b\r\n" + host + end, "[400]", nil},
	{"9112 5.2", "folded value", "GET / HTTP/1.1\r\n" + host + "A: b\r\n c\r\n" + end, "[400]", nil},
	{"9112 2.2", "space before the first field", "GET / HTTP/1.1\r\n " + host + end, "[400]", nil},
	{"9112 3", "no version", "GET /\r\n\r\n", "[400]", nil},
	{"9110 2.5", "HTTP/2.0", "GET / HTTP/2.0\r\n" + host + end, "[505]", nil},
	{"9112 3.2", "no Host", "GET / HTTP/1.1\r\n" + end, "[400]", nil},
	{"9112 3.2", "two Hosts", "GET / HTTP/1.1\r\n" + host + "Host: y\r\n" + end, "[400]", nil},
	{"9112 3.2", "ill-formed Host", "GET / HTTP/1.1\r\nHost: a b\r\n" + end, "[400]", nil},
	{"9112 3.2.2", "absolute form", "GET http://x/a HTTP/1.1\r\n" + host + end, "[200]", []string{"GET /a "}},
	{"9112 3.2.2", "absolute form without a path", "GET http://x HTTP/1.1\r\n" + host + end, "[200]", []string{"GET / "}},
	{"9112 3.2.2", "absolute form with a query only", "GET http://x?a HTTP/1.1\r\n" + host + end, "[200]", []string{"GET /?a "}},
	{"9112 3.2.2", "absolute form, other Host", "GET http://y/a HTTP/1.1\r\n" + host + end, "[400]", nil},
	{"9112 3.2.3", "CONNECT", "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n" + end, "[501]", nil},
	{"9112 6.3", "both lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n" + end + "0\r\n\r\n", "[400]", nil},
	{"9112 6.3", "two equal lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 1\r\n" + end + "a", "[400]", nil},
	{"9112 6.3", "two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n" + end + "ab", "[400]", nil},
	{"9110 8.6", "signed length", "POST / HTTP/1.1\r\n" + host + "Content-Length: +1\r\n" + end + "a", "[400]", nil},
	{"9110 8.6", "huge length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n" + end, "[400]", nil},
	{"9112 6.1", "gzip, chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n" + end, "[501]", nil},
	{"9112 6.1", "chunked twice", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n" + end, "[400]", nil},
	{"9112 6.1", "chunked in HTTP/1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "[400]", nil},
	{"9112 6.2", "length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\n" + end + "abc", "[200]", []string{"POST / abc"}},
	{"9112 7.1", "chunks", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n" + end + "1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: v\r\n\r\n", "[200]", []string{"POST / abc"}},
	{"9112 7.1", "bad chunk size", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n" + end + "x\r\na\r\n", "[400]", nil},
	{"9112 7.1", "chunk without its end", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n" + end + "1\r\nabc\r\n", "[400]", nil},
	{"9112 9.3", "HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "[200]", []string{"GET / "}},
	{"9112 9.3.2", "pipelined", "GET /1 HTTP/1.1\r\n" + host + "\r\nGET /2 HTTP/1.1\r\n" + host + end, "[200 200]", []string{"GET /1 ", "GET /2 "}},
	{"9112 9.3.2", "pipelined behind a body", "POST /1 HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\naGET /2 HTTP/1.1\r\n" + host + end, "[200 200]", []string{"POST /1 a", "GET /2 "}},
	{"9112 9.6", "nothing after close", "GET /1 HTTP/1.1\r\n" + host + end + "GET /2 HTTP/1.1\r\n" + host + end, "[200]", []string{"GET /1 "}},
	{"9110 10.1.1", "unknown expectation", "GET / HTTP/1.1\r\n" + host + "Expect: tea\r\n" + end, "[417]", nil},
	{"6585 5", "head too large", "GET / HTTP/1.1\r\n" + host + "A: " + strings.Repeat("a", 64<<10) + "\r\n" + end, "[431]", nil},
	{"9112 2.2", "large head before a body", "POST / HTTP/1.1\r\n" + host + "A: " + strings.Repeat("a", 16_200) + "\r\nContent-Length: 3\r\n" + end + "abc", "[200]", []string{"POST / abc"}},
	{"9110 7.8", "upgrade that the endpoint ignores", "GET /u HTTP/1.1\r\n" + host + "Connection: upgrade, close\r\nUpgrade: x\r\n\r\n", "[200]", []string{"GET /u "}},
	{"rgate", "statistics page", "GET /stats HTTP/1.1\r\n" + host + end, "[200]", nil},
	{"rgate", "statistics page behind a request", "GET /1 HTTP/1.1\r\n" + host + "\r\nGET /stats HTTP/1.1\r\n" + host + end, "[200 200]", []string{"GET /1 "}},
	{"3986 5.2.4", "climbs", "GET /../a HTTP/1.1\r\n" + host + end, "[400]", nil},
	{"3986 6.2.2", "dot segments", "GET /a/../b HTTP/1.1\r\n" + host + end, "[200]", []string{"GET /b "}},
}

func TestRequests(t *testing.T) { testRequests(t, requestCases) }

func testRequests(t *testing.T, cases []requestCase) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			for _, f := range cases {
				t.Run(f.section+" "+f.name, func(t *testing.T) {
					r := record(t, "")
					got := exchange(t, start(t, kind, r.addr), f.raw)
					if s := fmt.Sprint(statuses(got, "")); s != f.answers {
						t.Errorf("the client got %s, want %s: %q", s, f.answers, got)
					}
					if seen := r.complete(); fmt.Sprintf("%q", seen) != fmt.Sprintf("%q", f.seen) {
						t.Errorf("the endpoint got %q, want %q", seen, f.seen)
					}
				})
			}
		})
	}
}
