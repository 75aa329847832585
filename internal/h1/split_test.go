package h1

import (
	"testing"
)

// outcome is everything a caller can see of a parse.
type outcome struct {
	n       int
	err     error
	summary string
}

// parseFunc parses buf with a state that survives from call to call.
type parseFunc func(buf []byte) outcome

func requestParser() parseFunc {
	var r Request
	return func(buf []byte) outcome {
		n, err := ParseRequest(buf, splitLimits, &r)
		if n == 0 {
			return outcome{err: err}
		}
		return outcome{n, err, r.summary()}
	}
}

func responseParser() parseFunc {
	var r Response
	return func(buf []byte) outcome {
		n, err := ParseResponse(buf, splitLimits, []byte("GET"), &r)
		if n == 0 {
			return outcome{err: err}
		}
		return outcome{n, err, r.summary()}
	}
}

var splitLimits = Limits{MaxHead: 500, MaxFields: 20}

// checkSplits holds the promise that the outcome does not depend on how the
// bytes were cut into reads: whole, byte by byte in place, byte by byte in a
// buffer that moves, and cut once at every place.
func checkSplits(t *testing.T, raw []byte, newParser func() parseFunc) {
	t.Helper()
	want := newParser()(raw)
	inPlace, moving := newParser(), newParser()
	var gotInPlace, gotMoving outcome
	for i := range raw {
		if gotInPlace.n == 0 && gotInPlace.err == nil {
			gotInPlace = inPlace(raw[:i+1])
		}
		if gotMoving.n == 0 && gotMoving.err == nil && i%3 == 0 || i == len(raw)-1 {
			gotMoving = moving(append([]byte(nil), raw[:i+1]...))
		}
		cut := newParser()
		got := cut(raw[:i])
		if got.n == 0 && got.err == nil {
			got = cut(raw)
		}
		if got != want {
			t.Fatalf("%q cut at %d: got %+v, want %+v", raw, i, got, want)
		}
	}
	if len(raw) > 0 && (gotInPlace != want || gotMoving != want) {
		t.Fatalf("%q: byte by byte got %+v, moving %+v, want %+v", raw, gotInPlace, gotMoving, want)
	}
}

func TestRequestSplits(t *testing.T) {
	for _, c := range acceptedRequests {
		checkSplits(t, []byte(c.raw+"GET"), requestParser)
	}
	for _, c := range refusedRequests {
		for _, raw := range c.raws {
			checkSplits(t, []byte(raw), requestParser)
		}
	}
	long := make([]byte, 600)
	for i := range long {
		long[i] = 'a'
	}
	checkSplits(t, append([]byte("GET / HTTP/1.1\r\nA: \x01"), long...), requestParser)
	checkSplits(t, append([]byte("GET / HTTP/1.1\r\nA: "), long...), requestParser)
}

func TestResponseSplits(t *testing.T) {
	for _, c := range acceptedResponses {
		checkSplits(t, []byte(c.raw+"HTTP"), responseParser)
	}
	for _, c := range refusedResponses {
		for _, raw := range c.raws {
			checkSplits(t, []byte(raw), responseParser)
		}
	}
}

// A head that drips in must not be scanned from its start every time: the
// position only ever moves forward.
func TestResume(t *testing.T) {
	raw := []byte("GET / HTTP/1.1\r\nHost: a\r\nCookie: 0123456789\r\n\r\n")
	var r Request
	for i := 1; i < len(raw); i++ {
		if n, err := ParseRequest(raw[:i], Limits{}, &r); n != 0 || err != nil {
			t.Fatalf("at %d: got %d, %v", i, n, err)
		}
		// Only an unfinished version or CRLF is looked at again.
		if again := i - r.scan.pos; again > len("HTTP/1.1\r") {
			t.Errorf("at %d: %d bytes would be scanned again", i, again)
		}
	}
}
