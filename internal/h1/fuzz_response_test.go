package h1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"testing"
)

// FuzzResponse holds that whatever answer we accept, net/http accepts with the
// same meaning.
func FuzzResponse(f *testing.F) {
	for _, c := range acceptedResponses {
		f.Add([]byte(c.raw+"3\r\nabc\r\n0\r\nA: b\r\n\r\n"), c.method == "HEAD")
	}
	for _, c := range refusedResponses {
		for _, raw := range c.raws {
			f.Add([]byte(raw+end), false)
		}
	}
	f.Add([]byte(answerHead), false)
	for _, raw := range corpus(f, "response") {
		f.Add(raw, false)
		f.Add(raw, true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, head bool) {
		if len(raw) < 300 {
			checkSplits(t, raw, responseParser)
		}
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		var ours Response
		n, err := ParseResponse(raw, Limits{}, []byte(method), &ours)
		if n == 0 || err != nil {
			return
		}
		theirs, err := http.ReadResponse(bufio.NewReaderSize(bytes.NewReader(raw), 64<<10), &http.Request{Method: method})
		if onlyNetHTTP(err) {
			return
		}
		if err != nil {
			t.Fatalf("net/http refuses with %v what we accept: %s", err, ours.summary())
		}
		compareResponses(t, &ours, theirs)
		var b Body
		ours.Body(&b, Limits{})
		compareBodies(t, &b, raw[n:], theirs.Body)
	})
}

func compareResponses(t *testing.T, ours *Response, theirs *http.Response) {
	t.Helper()
	if ours.Status != theirs.StatusCode || int(ours.Minor) != min(theirs.ProtoMinor, 1) {
		t.Errorf("status: ours %s, theirs %s %s", ours.summary(), theirs.Proto, theirs.Status)
	}
	if !ours.NoBody {
		if chunked := len(theirs.TransferEncoding) == 1; ours.Chunked != chunked || ours.ContentLength != theirs.ContentLength {
			t.Errorf("framing: ours %s, theirs %d, %v", ours.summary(), theirs.ContentLength, theirs.TransferEncoding)
		}
	}
	if theirs.Close && !ours.Close {
		t.Errorf("close: ours %s, theirs %v", ours.summary(), theirs.Close)
	}
	compareFields(t, ours.Fields, theirs.Header)
}

// FuzzChunked holds that a chunked body complete to us has the same data for
// net/http, and that the outcome does not depend on how it was cut.
func FuzzChunked(f *testing.F) {
	for _, c := range acceptedChunked {
		f.Add([]byte(c.raw))
	}
	for _, c := range refusedChunked {
		for _, raw := range c.raws {
			f.Add([]byte(raw))
		}
	}
	for _, raw := range corpus(f, "chunked") {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole := Body{Kind: BodyChunked}
		data, rest, err := readBody(&whole, string(raw), max(len(raw), 1))
		for _, step := range []int{1, 2, 7} {
			b := Body{Kind: BodyChunked}
			d, r, e := readBody(&b, string(raw), step)
			if e != err || err == nil && (d != data || r != rest) || fieldSummary(b.chunked.Trailer) != fieldSummary(whole.chunked.Trailer) && err == nil {
				t.Fatalf("by %d: got %q, %q, %v; whole: %q, %q, %v", step, d, r, e, data, rest, err)
			}
		}
		if err != nil {
			return
		}
		got, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(raw)))
		if err != nil || string(got) != data {
			t.Errorf("ours %q, theirs %q, %v", data, got, err)
		}
	})
}
