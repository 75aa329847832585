package h1

import (
	"strings"
	"testing"
)

var acceptedChunked = []struct{ name, raw, data, trailer string }{
	{"empty", "0\r\n\r\n", "", ""},
	{"two chunks", "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", "abc0123456789", ""},
	{"zeros", "00000000000000f\r\n0123456789abcde\r\n000\r\n\r\n", "0123456789abcde", ""},
	{"extensions", "1;a=b;c=\"d e\"\r\nx\r\n0;\t\xe4\r\n\r\n", "x", ""},
	{"trailers", "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", "x", ` A="b" C=""`},
	{"forbidden trailers", "0\r\nContent-Length: 5\r\nHost: a\r\nA: b\r\nTransfer-Encoding: chunked\r\nX-Forwarded-Foo: c\r\nAuthorization: d\r\nSet-Cookie: e\r\n\r\n", "", ` A="b"`},
	{"crlf in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", ""},
}

var refusedChunked = []struct {
	err  *Error
	raws []string
}{
	{ErrChunkSize, []string{"\r\n", ";a\r\n", " 1\r\n", "0x1\r\n", "+1\r\n", "-1\r\n", "g\r\n", "1 \r\n", "1 ;a\r\n", "1\t\r\n", "1_0\r\n", "1\r\na\r\n\r\n", "\n", "1\x00"}},
	{ErrChunkOverflow, []string{"8000000000000000\r\n", "ffffffffffffffff\r\n", "10000000000000000\r\n", "00000000000000001\r\n"}},
	{ErrBareLF, []string{"1\nx", "1;a\nx", "0\r\n\n", "0\r\nA: b\n"}},
	{ErrBareCR, []string{"1\rx", "1;a\rx", "1\r\r", "0\r\n\rx", "0\r\nA\rx"}},
	{ErrChunkEnd, []string{"1\r\nxx", "1\r\nx\n", "1\r\nx\rx", "1\r\nx0\r\n\r\n"}},
	{ErrChunkExtByte, []string{"1;\x00", "1;a\x7f"}},
	{ErrObsFold, []string{"0\r\nA: b\r\n c: d\r\n\r\n"}},
	{ErrFirstSpace, []string{"0\r\n \r\n"}},
	{ErrNameSpace, []string{"0\r\nA : b\r\n"}},
	{ErrNoColon, []string{"0\r\nGET\r\n"}},
	{ErrControl, []string{"0\r\nA: \x00"}},
}

// readBody feeds raw in pieces of size step, as an event loop would: what was
// not consumed is kept, and the buffer moves every time.
func readBody(b *Body, raw string, step int) (data string, rest string, err error) {
	var out strings.Builder
	buf := []byte{}
	for len(raw) > 0 {
		k := min(step, len(raw))
		buf = append(append(make([]byte, 0, len(buf)+k), buf...), raw[:k]...)
		raw = raw[k:]
		for {
			d, n, done, err := b.Next(buf)
			out.Write(d)
			buf = buf[n:]
			if err != nil || done {
				return out.String(), string(buf) + raw, err
			}
			if n == 0 || len(buf) == 0 {
				break
			}
		}
	}
	return out.String(), string(buf), b.EOF()
}

func TestChunked(t *testing.T) {
	for _, c := range acceptedChunked {
		for step := 1; step <= len(c.raw)+4; step++ {
			b := Body{Kind: BodyChunked}
			data, rest, err := readBody(&b, c.raw+"next", step)
			if err != nil || data != c.data || rest != "next" || !b.Done() || fieldSummary(b.chunked.Trailer) != c.trailer {
				t.Errorf("%s by %d: got %q, rest %q, %v, trailer %s", c.name, step, data, rest, err, fieldSummary(b.chunked.Trailer))
			}
		}
		for cut := range len(c.raw) {
			b := Body{Kind: BodyChunked}
			if _, _, err := readBody(&b, c.raw[:cut], 1000); err != error(ErrTruncated) {
				t.Errorf("%s cut at %d: got %v", c.name, cut, err)
			}
		}
	}
}

func TestRefusedChunked(t *testing.T) {
	for _, c := range refusedChunked {
		for _, raw := range c.raws {
			for step := 1; step <= len(raw); step++ {
				b := Body{Kind: BodyChunked}
				if _, _, err := readBody(&b, raw, step); err != error(c.err) {
					t.Errorf("%q by %d: got %v, want %v", raw, step, err, c.err)
				}
			}
		}
	}
}

func TestChunkedLimits(t *testing.T) {
	lim := Limits{MaxChunkExt: 4, MaxTrailer: 10, MaxFields: 1}
	for raw, want := range map[string]*Error{
		"1;a\r\nx\r\n0;b\r\n\r\n":      nil,
		"1;a\r\nx\r\n0;bc\r\n\r\n":     ErrChunkExt,
		"0\r\nA: bcd\r\n\r\n":          nil,
		"0\r\nA: bcde\r\n\r\n":         ErrTrailerSize,
		"0\r\nA: bcdefghijklmnopqrstu": ErrTrailerSize,
		"0\r\nA:\r\nB:\r\n\r\n":        ErrFieldCount,
	} {
		for step := 1; step <= len(raw); step++ {
			b := Body{Kind: BodyChunked}
			b.chunked.Reset(lim)
			if _, _, err := readBody(&b, raw, step); err != want.asError() {
				t.Errorf("%q by %d: got %v, want %v", raw, step, err, want)
			}
		}
	}
}

// One call gets through framing, data and the end of a body that has come whole.
func TestChunkedInOneCall(t *testing.T) {
	var d Chunked
	raw := "3\r\nabc\r\n0\r\n\r\nGET"
	if data, n, done, err := d.Next([]byte(raw)); string(data) != "abc" || n != len(raw)-3 || !done || err != nil {
		t.Errorf("got %q, %d, %v, %v", data, n, done, err)
	}
	if data, n, done, err := d.Next([]byte("GET")); data != nil || n != 0 || !done || err != nil {
		t.Errorf("after the end: got %q, %d, %v, %v", data, n, done, err)
	}
}

func TestBodyKinds(t *testing.T) {
	f := func(head, raw, wantData, wantRest string, want *Error) {
		t.Helper()
		var b Body
		var r Response
		if n, err := ParseResponse([]byte(head+end), Limits{}, []byte("GET"), &r); n == 0 || err != nil {
			t.Fatal(err)
		}
		r.Body(&b, Limits{})
		data, rest, err := readBody(&b, raw, 2)
		if data != wantData || rest != wantRest || err != want.asError() {
			t.Errorf("%q: got %q, rest %q, %v", head, data, rest, err)
		}
	}
	f("HTTP/1.1 200 OK\r\nContent-Length: 3", "abcdef", "abc", "def", nil)
	f("HTTP/1.1 200 OK\r\nContent-Length: 3", "ab", "ab", "", ErrTruncated)
	f("HTTP/1.1 200 OK\r\nContent-Length: 0", "ab", "", "ab", nil)
	f("HTTP/1.1 204 OK\r\nContent-Length: 2", "ab", "", "ab", nil)
	f("HTTP/1.1 304 OK\r\nTransfer-Encoding: chunked", "ab", "", "ab", nil)
	f("HTTP/1.1 200 OK", "abc", "abc", "", nil)
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "1\r\na\r\n0\r\n\r\nx", "a", "x", nil)

	var r Request
	var b Body
	if _, err := ParseRequest([]byte("GET / HTTP/1.0"+end), Limits{}, &r); err != nil {
		t.Fatal(err)
	}
	if r.Body(&b, Limits{}); b.Kind != BodyNone || !b.Done() || b.EOF() != nil {
		t.Errorf("a request without framing has a body: %+v", b)
	}
}

// Data may be moved past the reader, by splice.
func TestSkip(t *testing.T) {
	b := Body{Kind: BodyLength, left: 10}
	if b.Skip(4); b.Left() != 6 || b.Done() {
		t.Errorf("left %d", b.Left())
	}
	if b.Skip(6); !b.Done() {
		t.Error("not done")
	}
	b = Body{Kind: BodyChunked}
	if b.Left() != 0 {
		t.Error("data before the first size")
	}
	if _, _, _, err := b.Next([]byte("a\r\n")); err != nil || b.Left() != 10 {
		t.Fatalf("left %d, %v", b.Left(), err)
	}
	b.Skip(10)
	if _, n, done, err := b.Next([]byte("\r\n0\r\n\r\n")); n != 7 || !done || err != nil || b.Left() != 0 {
		t.Errorf("got %d, %v, %v", n, done, err)
	}
	b = Body{Kind: BodyUntilClose}
	if b.Skip(1); b.Left() != 0 || b.Done() || b.EOF() != nil {
		t.Error("until close")
	}
}
