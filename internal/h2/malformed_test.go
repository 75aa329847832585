package h2

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// block encodes fields, given as name, value, name, value.
func encoded(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return b.Bytes()
}

// until reads frames until one is wanted.
func (r *raw) until(want func(http2.Frame) bool) http2.Frame {
	r.t.Helper()
	for {
		f, err := r.ReadFrame()
		if err != nil {
			r.t.Fatalf("the connection ended: %v", err)
		}
		if want(f) {
			return f
		}
	}
}

// What is malformed never gets to whoever serves the stream as a request, and is
// reset.
func TestMalformedRequests(t *testing.T) {
	addr := serve(t, nil, func(http.ResponseWriter, *http.Request) { t.Error("it was served") })
	good := []string{":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/"}
	with := func(more ...string) []string { return append(append([]string(nil), good...), more...) }
	for _, c := range []struct {
		wrong  error
		fields []string
	}{
		{ErrName, with("X-Upper", "1")}, {ErrName, with("a b", "1")}, {ErrName, with("a:b", "1")}, {ErrName, with("", "1")},
		{ErrName, with("a\x00", "1")}, {ErrName, with("a\r\nb", "1")}, {ErrName, with("\xff", "1")},
		{ErrValue, with("a", "1\x00")}, {ErrValue, with("a", "1\r\nb: c")}, {ErrValue, with("a", "1\nb")}, {ErrValue, with("a", " 1")},
		{ErrValue, with("a", "1\t")}, {ErrValue, with("a", "\x7f")},
		{ErrConnection, with("connection", "close")}, {ErrConnection, with("transfer-encoding", "chunked")}, {ErrConnection, with("keep-alive", "1")},
		{ErrConnection, with("upgrade", "h2c")}, {ErrConnection, with("proxy-connection", "close")},
		{ErrTE, with("te", "trailers, deflate")}, {ErrTE, with("te", "gzip")},
		{ErrPseudoLate, append([]string{"a", "1"}, good...)}, {ErrPseudoUnknown, with(":status", "200")}, {ErrPseudoUnknown, with(":x", "1")},
		{ErrPseudoTwice, with(":path", "/b")}, {ErrPseudoMissing, good[2:]}, {ErrPseudoMissing, good[:6]},
		{ErrPseudoMissing, []string{":method", "GET", ":authority", "a", ":path", "/"}},
		{ErrPseudoUnknown, with(":protocol", "websocket")},
		{ErrMethod, []string{":method", "G T", ":scheme", "http", ":authority", "a", ":path", "/"}},
		{ErrMethod, []string{":method", "", ":scheme", "http", ":authority", "a", ":path", "/"}},
		{ErrScheme, []string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/"}},
		{ErrPath, []string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", ""}},
		{ErrPath, []string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "*"}},
		{ErrPath, []string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "http://b/"}},
		{ErrPath, []string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/a HTTP/1.1"}},
		{ErrPath, []string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/a#b"}},
		{ErrAuthority, []string{":method", "GET", ":scheme", "http", ":path", "/"}},
		{ErrHostDiffers, with("host", "b.example")},
		{ErrConnect, []string{":method", "CONNECT", ":scheme", "http", ":authority", "a:1", ":path", "/"}}, {ErrConnect, []string{":method", "CONNECT"}},
		{ErrProtocol, []string{":method", "CONNECT", ":protocol", "connect-udp", ":scheme", "http", ":authority", "a", ":path", "/"}},
		{ErrLength, with("content-length", "1")},
	} {
		if _, wrong := worded(c.fields...); !errors.Is(wrong, c.wrong) {
			t.Errorf("%q: %v instead of %v", c.fields, wrong, c.wrong)
		}
	}
	r := dial(t, addr)
	if err := r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: encoded(with("X", "1")...), EndHeaders: true, EndStream: true}); err != nil {
		t.Fatal(err)
	}
	f := r.until(func(f http2.Frame) bool { return f.Header().StreamID == 1 }).(*http2.RSTStreamFrame)
	if f.ErrCode != http2.ErrCodeProtocol {
		t.Error(f)
	}
}

// worded is the head that a request becomes, or why it does not.
func worded(fields ...string) (head string, wrong error) {
	s := New(Options{Streams: 1, Head: 1000, Fields: 100}).newStream(1)
	k := &block{id: 1, end: true}
	for i := 0; i < len(fields); i += 2 {
		k.section.fields = append(k.section.fields, hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	s.request(k)
	return string(s.text), s.refused
}

func TestRequestsAreWorded(t *testing.T) {
	for _, c := range []struct {
		want   string
		fields []string
	}{
		{
			"GET /a?b HTTP/1.1|Host: a.example|Connection: close||",
			[]string{":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/a?b"},
		},
		{
			"OPTIONS * HTTP/1.1|Host: a|te: trailers|cookie: x=1; y=2; z=3|b: c|Connection: close||",
			[]string{":path", "*", ":method", "OPTIONS", ":scheme", "HTTP", "host", "a", "te", "trailers", "cookie", "x=1; y=2", "b", "c", "cookie", "z=3"},
		},
		{
			"CONNECT a:1 HTTP/1.1|Host: a:1|Connection: close||",
			[]string{":method", "CONNECT", ":authority", "a:1"},
		},
		{
			"POST / HTTP/1.1|Host: A.example|Content-Length: 0|Connection: close||",
			[]string{":method", "POST", ":scheme", "http", ":authority", "A.example", ":path", "/", "host", "a.Example"},
		},
	} {
		head, wrong := worded(c.fields...)
		if got := strings.ReplaceAll(head, "\r\n", "|"); got != c.want || wrong != nil {
			t.Errorf("%q, %v instead of %q", got, wrong, c.want)
		}
	}
}
