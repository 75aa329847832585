package h1

import (
	"fmt"
	"strings"
	"testing"
)

func (r *Response) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %q 1.%d len=%d", r.Status, r.Reason, r.Minor, r.ContentLength)
	for _, flag := range []struct {
		name string
		on   bool
	}{
		{"interim", r.Interim}, {"upgrade", r.Upgrade}, {"no-body", r.NoBody},
		{"chunked", r.Chunked}, {"until-close", r.UntilClose}, {"close", r.Close},
	} {
		if flag.on {
			b.WriteString(" " + flag.name)
		}
	}
	b.WriteString(fieldSummary(r.Fields))
	return b.String()
}

var acceptedResponses = []struct{ name, method, raw, want string }{
	{"length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2" + end, `200 "OK" 1.1 len=2 Content-Length="2"`},
	{"chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + end, `200 "OK" 1.1 len=-1 chunked !Transfer-Encoding="chunked"`},
	{"until close", "GET", "HTTP/1.1 200 OK\r\nConnection: keep-alive" + end, `200 "OK" 1.1 len=-1 until-close close !Connection="keep-alive"`},
	{"no reason", "GET", "HTTP/1.1 200 \r\nContent-Length: 0" + end, `200 "" 1.1 len=0 Content-Length="0"`},
	{"no reason, no space", "GET", "HTTP/1.1 200\r\nContent-Length: 0" + end, `200 "" 1.1 len=0 Content-Length="0"`},
	{"odd reason", "GET", "HTTP/1.1 299 \xe4 \tb\r\nContent-Length: 0" + end, `299 "\xe4 \tb" 1.1 len=0 Content-Length="0"`},
	{"unregistered status", "GET", "HTTP/1.1 999 x\r\nContent-Length: 0" + end, `999 "x" 1.1 len=0 Content-Length="0"`},
	{"1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1" + end, `200 "OK" 1.0 len=1 close Content-Length="1"`},
	{"1.0 keep-alive", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive" + end, `200 "OK" 1.0 len=1 Content-Length="1" !Connection="keep-alive"`},
	{"close", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close" + end, `200 "OK" 1.1 len=1 close Content-Length="1" !Connection="close"`},
	{"head with length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9" + end, `200 "OK" 1.1 len=9 no-body Content-Length="9"`},
	{"head with chunked", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + end, `200 "OK" 1.1 len=-1 no-body !Transfer-Encoding="chunked"`},
	{"head with neither", "HEAD", "HTTP/1.1 200 OK" + end, `200 "OK" 1.1 len=-1 no-body`},
	{"304 with length", "GET", "HTTP/1.1 304 x\r\nContent-Length: 9" + end, `304 "x" 1.1 len=9 no-body Content-Length="9"`},
	{"204", "GET", "HTTP/1.1 204 x" + end, `204 "x" 1.1 len=-1 no-body`},
	{"204 with zero", "GET", "HTTP/1.1 204 x\r\nContent-Length: 0" + end, `204 "x" 1.1 len=-1 no-body Content-Length="0"`},
	{"204 with length", "GET", "HTTP/1.1 204 x\r\nContent-Length: 3" + end, `204 "x" 1.1 len=-1 no-body close Content-Length="3"`},
	{"204 with chunked", "GET", "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked" + end, `204 "x" 1.1 len=-1 no-body close !Transfer-Encoding="chunked"`},
	{"100", "GET", "HTTP/1.1 100 Continue" + end, `100 "Continue" 1.1 len=-1 interim no-body`},
	{"103", "GET", "HTTP/1.1 103 Early Hints\r\nLink: a" + end, `103 "Early Hints" 1.1 len=-1 interim no-body Link="a"`},
	{"101", "GET", "HTTP/1.1 101 x\r\nUpgrade: y\r\nConnection: upgrade" + end, `101 "x" 1.1 len=-1 upgrade no-body !Upgrade="y" !Connection="upgrade"`},
	{"nominated", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: y\r\nSet-Cookie: c\r\nConnection: x, set-cookie" + end,
		`200 "OK" 1.1 len=1 Content-Length="1" !X="y" Set-Cookie="c" !Connection="x, set-cookie"`},
	{"later minor", "GET", "HTTP/1.3 200 OK\r\nContent-Length: 1" + end, `200 "OK" 1.1 len=1 Content-Length="1"`},
}

func TestAcceptedResponses(t *testing.T) {
	var r Response
	for _, c := range acceptedResponses {
		t.Run(c.name, func(t *testing.T) {
			n, err := ParseResponse([]byte(c.raw+"rest"), Limits{}, []byte(c.method), &r)
			if n != len(c.raw) || err != nil {
				t.Fatalf("got %d, %v; want %d", n, err, len(c.raw))
			}
			if got := r.summary(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

var refusedResponses = []struct {
	err  *Error
	raws []string
}{
	{ErrStatusLine, []string{"HTTP/1.1  200 OK\r\n", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 099 OK\r\n", "HTTP/1.1 +20 OK\r\n", "HTTP/1.1\r\n", "HTTP/1.1 20\r\n", "HTTP/1.1 200\tOK\r\n", "HTTP/1.1 200OK\r\n"}},
	{ErrVersion, []string{"http/1.1 200 OK\r\n", " HTTP/1.1 200 OK\r\n", "\r\nHTTP/1.1 200 OK\r\n", "<html>", "ICY 200 OK\r\n", "HTTP/1\r\n", "HTTP/1.d 200 OK\r\n"}},
	{ErrMajor, []string{"HTTP/2.0 200 OK\r\n", "HTTP/0.9 200 OK\r\n"}},
	{ErrBareLF, []string{"HTTP/1.1 200 OK\n", "HTTP/1.1 20\n", "HTTP\n", "HTTP/1.1 200 OK\r\nA: b\n"}},
	{ErrBareCR, []string{"HTTP/1.1 200 OK\rx", "HTTP/1.1 2\rx", "HTTP\rx", "HTTP/1.1 200 OK\r\nA: b\rx"}},
	{ErrControl, []string{"HTTP/1.1 200 O\x00K\r\n", "HTTP/1.1 200 OK\r\nA: \x01"}},
	{ErrObsFold, []string{"HTTP/1.1 200 OK\r\nA: b\r\n c" + end}},
	{ErrFirstSpace, []string{"HTTP/1.1 200 OK\r\n A: b" + end}},
	{ErrNameSpace, []string{"HTTP/1.1 200 OK\r\nContent-Length : 1" + end}},
	{ErrNoColon, []string{"HTTP/1.1 200 OK\r\nA\r\n"}},
	{ErrCLAndTE, []string{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked" + end}},
	{ErrCLRepeated, []string{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1" + end}},
	{ErrCL, withValues("HTTP/1.1 200 OK\r\nContent-Length: ", "1, 1", "-1", "", "1x")},
	{ErrTERepeated, []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked" + end}},
	{ErrTEUnknown, withValues("HTTP/1.1 200 OK\r\nTransfer-Encoding: ", "gzip", "identity", "gzip, chunked")},
	{ErrTENotFinal, withValues("HTTP/1.1 200 OK\r\nTransfer-Encoding: ", "chunked, gzip")},
	{ErrTEInHTTP10, []string{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked" + end}},
	{ErrInterimFraming, []string{"HTTP/1.1 100 Continue\r\nContent-Length: 1" + end, "HTTP/1.1 101 x\r\nTransfer-Encoding: chunked" + end}},
	{ErrConnOptions, []string{"HTTP/1.1 200 OK\r\nConnection: " + strings.Repeat("a,", 101) + end}},
}

func TestRefusedResponses(t *testing.T) {
	for _, c := range refusedResponses {
		for _, raw := range c.raws {
			t.Run(c.err.Class, func(t *testing.T) {
				n, err := ParseResponse([]byte(raw), Limits{}, []byte("GET"), new(Response))
				if n != 0 || err != error(c.err) {
					t.Errorf("%q: got %d, %v; want %v", raw, n, err, c.err)
				}
			})
		}
	}
}

func TestResponseLimits(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 1" + end
	f := func(buf string, lim Limits, wantN int, want error) {
		t.Helper()
		var r Response
		n, err := ParseResponse([]byte(buf), lim, nil, &r)
		if n != wantN || err != want {
			t.Errorf("%q %+v: got %d, %v; want %d, %v", buf, lim, n, err, wantN, want)
		}
		r.Reset()
		if len(r.Fields) != 0 || r.ContentLength != -1 {
			t.Errorf("Reset left %+v", r)
		}
	}
	f("", Limits{}, 0, nil)
	f(head, Limits{MaxHead: len(head)}, len(head), nil)
	f(head, Limits{MaxHead: len(head) - 1}, 0, ErrHeadSize)
	f(head, Limits{MaxFields: 1}, 0, ErrFieldCount)
}
