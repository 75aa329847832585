package h1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// stricterThanNetHTTP lists the classes that http.ReadRequest lets pass (its
// server refuses some of them later). FuzzRequest fails on any other, so the
// list is what an audit of our refusals has to read.
var stricterThanNetHTTP = map[*Error]string{
	ErrBareLF:          "takes LF for CRLF",
	ErrBareCR:          "drops a CR before CRLF, and takes one in a leading line",
	ErrObsFold:         "joins the lines",
	ErrNameSpace:       "takes white space as part of the name",
	ErrMajor:           "reads HTTP/0.9, HTTP/2.0 and up",
	ErrTargetEmpty:     "takes it with CONNECT",
	ErrTargetByte:      "reads non-ASCII bytes, and controls in places",
	ErrTargetFragment:  "reads '#' as part of the path",
	ErrTargetBackslash: "reads it as any byte",
	ErrTargetForm:      "reads other schemes, and scheme:opaque",
	ErrTargetAsterisk:  "takes any method",
	ErrTargetUserinfo:  "parses it",
	ErrTargetAuthority: "reads empty hosts, empty ports and sub-delims",
	ErrHostMissing:     "left to the server",
	ErrHostRepeated:    "left to the server, the first counts",
	ErrHost:            "left to the server, which allows more",
	ErrHostDiffers:     "the target's authority wins",
	ErrExpect:          "left to the server",
	ErrConnOptions:     "no limit",
	ErrFieldCount:      "no limit but on bytes",
	ErrCLAndTE:         "chunked wins",
	ErrCLRepeated:      "equal values count as one",
	ErrCL:              "an empty value counts as none, in places",
	ErrTEInHTTP10:      "ignores the field",
	ErrTERepeated:      "ignores the field in HTTP/1.0",
	ErrTE:              "ignores the field in HTTP/1.0",
	ErrTENotFinal:      "ignores the field in HTTP/1.0",
	ErrTEUnknown:       "ignores the field in HTTP/1.0",
}

// FuzzRequest holds that whatever we accept, net/http accepts with the same
// meaning: method, target, host, fields, framing and body.
func FuzzRequest(f *testing.F) {
	for _, c := range acceptedRequests {
		f.Add([]byte(c.raw + "3\r\nabc\r\n0\r\nA: b\r\n\r\n"))
	}
	for _, c := range refusedRequests {
		for _, raw := range c.raws {
			f.Add([]byte(raw + "Host: a" + end))
		}
	}
	f.Add([]byte(browserHead))
	for _, raw := range corpus(f, "request") {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < 300 {
			checkSplits(t, raw, requestParser)
		}
		var ours Request
		n, err := ParseRequest(raw, Limits{}, &ours)
		theirs, theirErr := http.ReadRequest(bufio.NewReaderSize(bytes.NewReader(withoutEmptyLine(raw)), 64<<10))
		switch {
		case err != nil && theirErr == nil:
			if stricterThanNetHTTP[err.(*Error)] == "" {
				t.Errorf("we refuse with %v what net/http accepts", err)
			}
		case n == 0 || onlyNetHTTP(theirErr):
		case theirErr != nil:
			t.Errorf("net/http refuses with %v what we accept: %s", theirErr, ours.summary())
		default:
			compareRequests(t, &ours, theirs)
			var b Body
			ours.Body(&b, Limits{})
			compareBodies(t, &b, raw[n:], theirs.Body)
		}
	})
}

func withoutEmptyLine(raw []byte) []byte { return bytes.TrimPrefix(raw, []byte("\r\n")) }

// onlyNetHTTP are errors about things that have one reading only: a Trailer
// field that announces framing fields, whose trailers we drop.
func onlyNetHTTP(err error) bool {
	return err != nil && strings.Contains(err.Error(), "bad trailer key")
}

func compareRequests(t *testing.T, ours *Request, theirs *http.Request) {
	t.Helper()
	same := func(what string, ours, theirs any) {
		t.Helper()
		if ours != theirs {
			t.Errorf("%s: ours %v, theirs %v", what, ours, theirs)
		}
	}
	same("method", string(ours.Method), theirs.Method)
	same("target", string(ours.Target), theirs.RequestURI)
	same("minor", int(ours.Minor), min(theirs.ProtoMinor, 1))
	same("chunked", ours.Chunked, len(theirs.TransferEncoding) == 1)
	same("close", ours.Close, theirs.Close)
	if !ours.Chunked {
		same("length", max(ours.ContentLength, 0), theirs.ContentLength)
	}
	if ours.Form != FormAsterisk && ours.Form != FormAuthority {
		path, err := url.PathUnescape(string(ours.Path))
		if theirs.URL.Path != "" || path != "/" {
			same("path", fmt.Sprint(path, err), fmt.Sprint(theirs.URL.Path, error(nil)))
		}
		same("query", string(ours.Query), theirs.URL.RawQuery)
	}
	if !equalFold(ours.Host, theirs.Host) {
		same("host", string(ours.Host), theirs.Host)
	}
	compareFields(t, ours.Fields, theirs.Header)
}

// compareFields leaves out what net/http takes out of the map, and the
// Cache-Control that it makes up from Pragma.
func compareFields(t *testing.T, ours []Field, theirs http.Header) {
	t.Helper()
	want, got := http.Header{}, maps.Clone(theirs)
	for _, f := range ours {
		key := textproto.CanonicalMIMEHeaderKey(string(f.Name))
		want[key] = append(want[key], string(f.Value))
	}
	for _, key := range []string{"Host", "Transfer-Encoding", "Trailer", "Content-Length"} {
		delete(want, key)
		delete(got, key)
	}
	if got["Connection"] == nil {
		delete(want, "Connection") // taken out of answers that close
	}
	if want["Pragma"] != nil && want["Cache-Control"] == nil {
		delete(got, "Cache-Control")
	}
	if !maps.EqualFunc(want, got, slices.Equal[[]string]) {
		t.Errorf("fields: ours %q, theirs %q", want, got)
	}
}

// compareBodies holds that a body complete to us reads the same to net/http.
func compareBodies(t *testing.T, b *Body, raw []byte, theirs io.Reader) {
	t.Helper()
	data, _, err := readBody(b, string(raw), max(len(raw), 1))
	if err != nil {
		return
	}
	got, err := io.ReadAll(theirs)
	if err != nil || string(got) != data {
		t.Errorf("body: ours %q, theirs %q, %v", data, got, err)
	}
}
