//go:build linux

package conformance

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

// reading is a request as net/http reads it.
type reading struct {
	method, target, body string
	whole                bool // its body came to its end
}

// readings are the requests in raw, up to one that net/http refuses or the end
// of the connection.
func readings(raw []byte) (all []reading) {
	in := bufio.NewReader(bytes.NewReader(raw))
	for {
		skipEmptyLines(in)
		req, err := http.ReadRequest(in)
		if err != nil {
			return all
		}
		r := readingOf(req)
		all = append(all, r)
		if !r.whole || req.Close {
			return all
		}
	}
}

// skipEmptyLines skips what RFC 9112, 2.2 lets a server skip, and net/http does
// not.
func skipEmptyLines(in *bufio.Reader) {
	for {
		if b, _ := in.Peek(2); string(b) != "\r\n" {
			return
		}
		_, _ = in.Discard(2)
	}
}

func readingOf(req *http.Request) reading {
	body, err := io.ReadAll(req.Body)
	return reading{method: req.Method, target: req.RequestURI, body: string(body), whole: err == nil}
}

// carries tells whether sent may be what became of said.
func (said reading) carries(sent reading) bool {
	if sent.method != said.method || plainTarget(sent.target) != plainTarget(said.target) {
		return false
	}
	if sent.whole {
		return said.whole && sent.body == said.body
	}
	return strings.HasPrefix(said.body, sent.body)
}

// plainTarget makes the ways alike in which a path can be written.
func plainTarget(target string) string {
	if scheme, rest, ok := strings.Cut(target, "://"); ok && !strings.ContainsAny(scheme, "/?") {
		target = "/"
		if at := strings.IndexAny(rest, "/?"); at >= 0 {
			target = "/" + strings.TrimPrefix(rest[at:], "/")
		}
	}
	p, query, ok := strings.Cut(target, "?")
	if plain, err := url.PathUnescape(p); err == nil {
		p = plain
	}
	if p = path.Clean(p); ok {
		p += "?" + query
	}
	return p
}

// contained fails where r got what said does not hold, in said's order.
func contained(t *testing.T, r *recorder, said []reading) {
	for _, err := range r.refused {
		t.Errorf("the endpoint cannot read its request: %v", err)
	}
	left := said
	for i, sent := range r.seen {
		for len(left) > 0 && !left[0].carries(sent) {
			left = left[1:]
		}
		if len(left) == 0 {
			t.Errorf("the endpoint's request %d, %+v, is not the client's: %+v", i, sent, said)
			return
		}
		left = left[1:]
	}
}
