package h1

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// summary puts what a request means on one line.
func (r *Request) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s form=%d path=%s", r.Method, r.Target, r.Form, r.Path)
	if r.Query != nil {
		fmt.Fprintf(&b, " query=%s", r.Query)
	}
	fmt.Fprintf(&b, " host=%s 1.%d len=%d", r.Host, r.Minor, r.ContentLength)
	for _, flag := range []struct {
		name string
		on   bool
	}{
		{"chunked", r.Chunked}, {"close", r.Close}, {"keep-alive", r.KeepAlive},
		{"expect", r.Expect100}, {"upgrade", r.Upgrade},
	} {
		if flag.on {
			b.WriteString(" " + flag.name)
		}
	}
	b.WriteString(fieldSummary(r.Fields))
	return b.String()
}

func fieldSummary(fields []Field) string {
	var b strings.Builder
	for _, f := range fields {
		mark := ""
		if f.Hop {
			mark = "!"
		}
		fmt.Fprintf(&b, " %s%s=%q", mark, f.Name, f.Value)
	}
	return b.String()
}

const end = "\r\n\r\n"

// acceptedRequests maps raw heads to their summaries.
var acceptedRequests = []struct{ name, raw, want string }{
	{"plain", "GET / HTTP/1.1\r\nHost: a" + end, `GET / form=0 path=/ host=a 1.1 len=-1 Host="a"`},
	{"query", "GET /a/b?c=%zz\\ HTTP/1.1\r\nHost: a" + end, `GET /a/b?c=%zz\ form=0 path=/a/b query=c=%zz\ host=a 1.1 len=-1 Host="a"`},
	{"empty query", "GET /? HTTP/1.1\r\nHost: a" + end, `GET /? form=0 path=/ query= host=a 1.1 len=-1 Host="a"`},
	{"double slash is a path", "GET //b/c HTTP/1.1\r\nHost: a" + end, `GET //b/c form=0 path=//b/c host=a 1.1 len=-1 Host="a"`},
	{"escapes", "GET /%2F%e4 HTTP/1.1\r\nHost: a" + end, `GET /%2F%e4 form=0 path=/%2F%e4 host=a 1.1 len=-1 Host="a"`},
	{"browsers' bytes", "GET /a|b{c}^ HTTP/1.1\r\nHost: a" + end, `GET /a|b{c}^ form=0 path=/a|b{c}^ host=a 1.1 len=-1 Host="a"`},
	{"one empty line first", "\r\nGET / HTTP/1.1\r\nHost: a" + end, `GET / form=0 path=/ host=a 1.1 len=-1 Host="a"`},
	{"later minor", "GET / HTTP/1.7\r\nHost: a" + end, `GET / form=0 path=/ host=a 1.1 len=-1 Host="a"`},
	{"absolute", "GET http://A:80/x?y HTTP/1.1\r\nHost: a:80" + end, `GET http://A:80/x?y form=1 path=/x query=y host=a:80 1.1 len=-1 Host="a:80"`},
	{"absolute without path", "GET HTTPS://a?q HTTP/1.1\r\nHost: a" + end, `GET HTTPS://a?q form=1 path=/ query=q host=a 1.1 len=-1 Host="a"`},
	{"absolute 1.0", "GET http://a HTTP/1.0" + end, `GET http://a form=1 path=/ host=a 1.0 len=-1 close`},
	{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a" + end, `OPTIONS * form=3 path= host=a 1.1 len=-1 Host="a"`},
	{"authority", "CONNECT a:443 HTTP/1.1\r\nHost: a:443" + end, `CONNECT a:443 form=2 path= host=a:443 1.1 len=-1 Host="a:443"`},
	{"1.0 without host", "GET / HTTP/1.0" + end, `GET / form=0 path=/ host= 1.0 len=-1 close`},
	{"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive" + end, `GET / form=0 path=/ host= 1.0 len=-1 keep-alive !Connection="Keep-Alive"`},
	{"1.0 close wins", "GET / HTTP/1.0\r\nConnection: Keep-Alive, close" + end, `GET / form=0 path=/ host= 1.0 len=-1 close !Connection="Keep-Alive, close"`},
	{"1.0 upgrade and expect mean nothing", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\nExpect: 100-continue" + end,
		`GET / form=0 path=/ host= 1.0 len=-1 close !Connection="upgrade" !Upgrade="x" Expect="100-continue"`},
	{"close", "GET / HTTP/1.1\r\nHost: a\r\nconnection:,CLOSE ,, x" + end, `GET / form=0 path=/ host=a 1.1 len=-1 close Host="a" !connection=",CLOSE ,, x"`},
	{"length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005" + end, `POST / form=0 path=/ host=a 1.1 len=5 Host="a" Content-Length="0005"`},
	{"largest length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807" + end,
		`POST / form=0 path=/ host=a 1.1 len=9223372036854775807 Host="a" Content-Length="9223372036854775807"`},
	{"chunked", "POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-encoding:\tChunked " + end, `POST / form=0 path=/ host=a 1.1 len=-1 chunked Host="a" !TRANSFER-encoding="Chunked"`},
	{"expect", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue" + end, `POST / form=0 path=/ host=a 1.1 len=-1 expect Host="a" Expect="100-Continue"`},
	{"upgrade", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade" + end,
		`GET / form=0 path=/ host=a 1.1 len=-1 upgrade Host="a" !Upgrade="websocket" !Connection="keep-alive, Upgrade"`},
	{"upgrade not nominated", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket" + end, `GET / form=0 path=/ host=a 1.1 len=-1 Host="a" !Upgrade="websocket"`},
	{"nominated", "GET / HTTP/1.1\r\nX-A: 1\r\nHost: a\r\nConnection: x-a , \"y\"\r\nx-A: 2" + end,
		`GET / form=0 path=/ host=a 1.1 len=-1 !X-A="1" Host="a" !Connection="x-a , \"y\"" !x-A="2"`},
	{"nominations that would hurt", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nX-Forwarded-For: b\r\nX-Forwarded-Foo: c\r\nX-Request-ID: d\r\n" +
		"Connection: host, content-length, x-forwarded-for, x-forwarded-foo, x-request-id" + end,
		`POST / form=0 path=/ host=a 1.1 len=1 Host="a" Content-Length="1" X-Forwarded-For="b" X-Forwarded-Foo="c" X-Request-ID="d" ` +
			`!Connection="host, content-length, x-forwarded-for, x-forwarded-foo, x-request-id"`},
	{"empty and odd values", "GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB: \t \r\nC:\t1 \t2 \r\nD: \xe4\xff" + end,
		`GET / form=0 path=/ host=a 1.1 len=-1 Host="a" A="" B="" C="1 \t2" D="\xe4\xff"`},
	{"any token is a method", "~x HTTP://[::1]:0/ HTTP/1.1\r\nHost: [::1]:0" + end, `~x HTTP://[::1]:0/ form=1 path=/ host=[::1]:0 1.1 len=-1 Host="[::1]:0"`},
}

func TestAcceptedRequests(t *testing.T) {
	for _, c := range acceptedRequests {
		t.Run(c.name, func(t *testing.T) {
			var r Request
			n, err := ParseRequest([]byte(c.raw+"rest"), Limits{}, &r)
			if n != len(c.raw) || err != nil {
				t.Fatalf("got %d, %v; want %d", n, err, len(c.raw))
			}
			if got := r.summary(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// refusedRequests are grouped by the error they meet.
var refusedRequests = []struct {
	err  *Error
	raws []string
}{
	{ErrBareLF, []string{"\nGET / HTTP/1.1\r\n", "GET\n", "GET /\n", "GET / HTTP/1.1\nHost: a" + end, "GET / HTTP/1\n",
		"GET / HTTP/1.1\r\nHost: a\n\n", "GET / HTTP/1.1\r\nHost\n", "GET / HTTP/1.1\r\nHost: a\r\n\n"}},
	{ErrBareCR, []string{"\rGET / HTTP/1.1\r\n", "GET\r ", "GET /\r ", "GET / HTTP/1.1\rHost: a", "GET / HTTP/1\r ",
		"GET / HTTP/1.1\r\nHost: a\rb", "GET / HTTP/1.1\r\nHost\ra", "GET / HTTP/1.1\r\nHost: a\r\n\ra", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"}},
	{ErrControl, []string{"GET / HTTP/1.1\r\nA: \x00", "GET / HTTP/1.1\r\nA: 0123456789\x1f", "GET / HTTP/1.1\r\nA: \x7f", "GET / HTTP/1.1\r\nA: \t01234567\x0b012345678"}},
	{ErrObsFold, []string{"GET / HTTP/1.1\r\nHost: a\r\n b" + end, "GET / HTTP/1.1\r\nHost: a\r\n\tb" + end, "GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n"}},
	{ErrFirstSpace, []string{"GET / HTTP/1.1\r\n Host: a" + end, "GET / HTTP/1.1\r\n\tHost: a" + end}},
	{ErrNameSpace, []string{"GET / HTTP/1.1\r\nHost : a" + end, "GET / HTTP/1.1\r\nHost\t: a" + end, "GET / HTTP/1.1\r\nA b: c" + end}},
	{ErrName, []string{"GET / HTTP/1.1\r\n: a" + end, "GET / HTTP/1.1\r\nH\x00st: a" + end, "GET / HTTP/1.1\r\nH(): a" + end, "GET / HTTP/1.1\r\nH\xc3: a" + end, "GET / HTTP/1.1\r\n\"a\": a" + end}},
	{ErrNoColon, []string{"GET / HTTP/1.1\r\nHost\r\n", "GET / HTTP/1.1\r\nHost: a\r\nx" + end}},
	{ErrEmptyLines, []string{"\r\n\r\nGET / HTTP/1.1\r\nHost: a" + end}},
	{ErrMethod, []string{" GET / HTTP/1.1\r\n", "\x16\x03\x01", "G(T / HTTP/1.1\r\n", "\r\n GET / HTTP/1.1\r\n", "G\x00T / HTTP/1.1\r\n", "GET\t/ HTTP/1.1\r\n"}},
	{ErrRequestLine, []string{"GET\r\n"}},
	{ErrHTTP09, []string{"GET /\r\n", "GET \r\n"}},
	{ErrVersion, []string{"GET / http/1.1\r\n", "GET / HTTP/1.1 \r\n", "GET / HTTP/1.10\r\n", "GET / HTTP/1\r\n", "GET / HTTP/11.1\r\n",
		"GET / HTTP/1,1\r\n", "GET / HTTP/1.d\r\n", "GET / HTTP/d.1\r\n", "GET / HTTP/+1.1\r\n", "GET / HTP/1.1\r\n", "GET /  HTTP/1.1\r\n", "GET / a HTTP/1.1\r\n", "GET / \r\n", "GET / HTTP/1.1\tx"}},
	{ErrMajor, []string{"PRI * HTTP/2.0" + end, "GET / HTTP/0.9\r\n", "GET / HTTP/3.0\r\n"}},
	{ErrTargetEmpty, []string{"GET  HTTP/1.1\r\n", "GET  / HTTP/1.1\r\n"}},
	{ErrTargetByte, []string{"GET /\x00 HTTP/1.1\r\n", "GET /\t HTTP/1.1\r\n", "GET /\x7f HTTP/1.1\r\n", "GET /\xe4 HTTP/1.1\r\n"}},
	{ErrTargetFragment, []string{"GET /#a HTTP/1.1\r\n", "GET /?a#b HTTP/1.1\r\n"}},
	{ErrTargetBackslash, []string{"GET /a\\b HTTP/1.1\r\n"}},
	{ErrTargetEscape, []string{"GET /%zz HTTP/1.1\r\n", "GET /% HTTP/1.1\r\n", "GET /%41%4 HTTP/1.1\r\n", "GET /%4?1 HTTP/1.1\r\n"}},
	{ErrTargetForm, []string{"GET a HTTP/1.1\r\n", "GET ftp://a/ HTTP/1.1\r\n", "GET http:/a HTTP/1.1\r\n", "GET http:a HTTP/1.1\r\n", "GET http: HTTP/1.1\r\n", "GET a:80 HTTP/1.1\r\n", "GET ?a HTTP/1.1\r\n", "OPTIONS ** HTTP/1.1\r\n"}},
	{ErrTargetAsterisk, []string{"GET * HTTP/1.1\r\n", "options * HTTP/1.1\r\n"}},
	{ErrTargetUserinfo, []string{"GET http://u@a/ HTTP/1.1\r\n", "GET http://u:p@a/ HTTP/1.1\r\n", "CONNECT u@a:1 HTTP/1.1\r\n"}},
	{ErrTargetAuthority, []string{"GET http:/// HTTP/1.1\r\n", "GET http:// HTTP/1.1\r\n", "GET http://:80/ HTTP/1.1\r\n", "GET http://a:/ HTTP/1.1\r\n",
		"GET http://a\\b/ HTTP/1.1\r\n", "GET http://a%41/ HTTP/1.1\r\n", "CONNECT a HTTP/1.1\r\n", "CONNECT /a HTTP/1.1\r\n", "CONNECT http://a/ HTTP/1.1\r\n"}},
	{ErrHostMissing, []string{"GET / HTTP/1.1" + end, "GET http://a/ HTTP/1.1\r\nA: b" + end}},
	{ErrHostRepeated, []string{"GET / HTTP/1.1\r\nHost: a\r\nhost: a" + end, "GET / HTTP/1.0\r\nHost: a\r\nHost: b" + end}},
	{ErrHost, []string{"GET / HTTP/1.1\r\nHost:" + end, "GET / HTTP/1.0\r\nHost: " + end, "GET / HTTP/1.1\r\nHost: a b" + end, "GET / HTTP/1.1\r\nHost: a,b" + end,
		"GET / HTTP/1.1\r\nHost: a/b" + end, "GET / HTTP/1.1\r\nHost: u@a" + end, "GET / HTTP/1.1\r\nHost: http://a" + end, "GET / HTTP/1.1\r\nHost: a:b" + end, "GET / HTTP/1.1\r\nHost: a:65536" + end}},
	{ErrHostDiffers, []string{"GET http://a/ HTTP/1.1\r\nHost: b" + end, "GET http://a:80/ HTTP/1.1\r\nHost: a" + end, "GET http://a/ HTTP/1.0\r\nHost: b" + end, "CONNECT a:1 HTTP/1.1\r\nHost: a" + end}},
	{ErrExpect, []string{"GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok" + end, "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, x" + end}},
	{ErrConnOptions, []string{"GET / HTTP/1.1\r\nHost: a\r\nConnection: " + strings.Repeat("a,", 101) + end}},
	{ErrCLAndTE, []string{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked" + end, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0" + end}},
	{ErrCLRepeated, []string{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1" + end, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\ncontent-length: 1" + end}},
	{ErrCL, withValues("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", "", "+1", "-1", "1 1", "1,1", "1, 1", "0x1", "1.0", "a", "9223372036854775808", "99999999999999999999", "\xb2")},
	{ErrTERepeated, []string{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked" + end, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity" + end}},
	{ErrTE, withValues("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ", "", ",", "chunked;a=b", "gzip,", "gzip;q=1, chunked", "\"chunked\"", ",chunked", "chunked,", "chu nked")},
	{ErrTENotFinal, withValues("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ", "chunked, chunked", "chunked, gzip", "gzip, chunked, br")},
	{ErrTEUnknown, withValues("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ", "gzip", "gzip, chunked", "identity", "xchunked")},
	{ErrTEInHTTP10, []string{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked" + end}},
}

func withValues(prefix string, values ...string) (raws []string) {
	for _, v := range values {
		raws = append(raws, prefix+v+end)
	}
	return raws
}

func TestRefusedRequests(t *testing.T) {
	for _, c := range refusedRequests {
		for _, raw := range c.raws {
			t.Run(c.err.Class, func(t *testing.T) {
				var r Request
				n, err := ParseRequest([]byte(raw), Limits{}, &r)
				if n != 0 || err != error(c.err) {
					t.Errorf("%q: got %d, %v; want %v", raw, n, err, c.err)
				}
			})
		}
	}
}

func TestRequestLimits(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: a\r\nB: c" + end
	f := func(buf string, lim Limits, wantN int, want error) {
		t.Helper()
		var r Request
		n, err := ParseRequest([]byte(buf), lim, &r)
		if n != wantN || err != want {
			t.Errorf("%q %+v: got %d, %v; want %d, %v", buf, lim, n, err, wantN, want)
		}
	}
	f("", Limits{}, 0, nil)
	f(head, Limits{MaxHead: len(head)}, len(head), nil)
	f(head, Limits{MaxHead: len(head) - 1}, 0, ErrHeadSize)
	f(head[:20], Limits{MaxHead: 21}, 0, nil)
	f(head[:20], Limits{MaxHead: 20}, 0, ErrHeadSize)
	f(head, Limits{MaxFields: 2}, len(head), nil)
	f(head, Limits{MaxFields: 1}, 0, ErrFieldCount)
	f("GET /"+strings.Repeat("a", DefaultMaxHead), Limits{}, 0, ErrHeadSize)
	f("GET / HTTP/1.1\r\n"+strings.Repeat("a:\r\n", DefaultMaxFields+1), Limits{}, 0, ErrFieldCount)
}

// A parser is reused from request to request, and from connection to connection.
func TestRequestReuse(t *testing.T) {
	var r Request
	for _, c := range acceptedRequests {
		if _, err := ParseRequest([]byte(c.raw), Limits{}, &r); err != nil || r.summary() != c.want {
			t.Errorf("%s after another: got %s, %v", c.name, r.summary(), err)
		}
	}
	buf := []byte("GET /other HTTP/1.1\r\nHost: evil\r\n")
	if n, err := ParseRequest(buf, Limits{}, &r); n != 0 || err != nil {
		t.Fatalf("incomplete: got %d, %v", n, err)
	}
	r.Reset()
	copy(buf, "GET / HTTP/1.0\r\n\r\n")
	if n, err := ParseRequest(buf, Limits{}, &r); n != 18 || err != nil || r.summary() != "GET / form=0 path=/ host= 1.0 len=-1 close" {
		t.Errorf("after Reset: got %d, %v, %s", n, err, r.summary())
	}
}

func TestErrorText(t *testing.T) {
	var target *Error
	_, err := ParseRequest([]byte("\n"), Limits{}, new(Request))
	if !errors.As(err, &target) || target.Status != 400 || err.Error() != "cannot accept message: line ends in LF without CR (RFC 9112 §2.2)" {
		t.Errorf("got %v", err)
	}
}
