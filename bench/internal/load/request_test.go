package load

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
)

func TestRequestBytes(t *testing.T) {
	for name, test := range map[string]struct {
		request  Request
		fields   int // with Host
		from, to int // bytes of the head
	}{
		"plain":   {Request{}, 3, 60, 100},
		"browser": {Request{Browser: true}, 12, 650, 850},
		"post":    {Request{Body: 1024}, 5, 100, 200},
	} {
		t.Run(name, func(t *testing.T) {
			b := test.request.Bytes("/api/orders/128")
			head, body, _ := bytes.Cut(b, headEnd)
			if fields := bytes.Count(head, []byte("\r\n")); fields != test.fields {
				t.Errorf("%d fields, want %d", fields, test.fields)
			}
			if len(head) < test.from || len(head) > test.to || len(body) != test.request.Body {
				t.Errorf("head of %d and body of %d bytes", len(head), len(body))
			}
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, r.Body); err != nil || int(n) != test.request.Body || r.URL.Path != "/api/orders/128" {
				t.Errorf("read as %s with %d bytes: %v", r.URL, n, err)
			}
		})
	}
}

func TestParseHead(t *testing.T) {
	for text, want := range map[string]answerHead{
		"HTTP/1.1 200 OK\r\nContent-Length: 128\r\n\r\nxx":        {size: 40, status: 200, body: 128},
		"HTTP/1.1 503 No\r\nA: b\r\ncontent-length: 0\r\n\r\n":    {size: 44, status: 503, body: 0},
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0":  {size: 47, status: 200, body: -1},
		"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n":            {size: 38, body: 1},
		"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n":         {size: 41, status: 200, body: -1},
		"HTTP/1.1 200 OK\r\nX-Content-Length: 5\r\nB: c\r\n\r\n5": {size: 46, status: 200, body: -1},
	} {
		if got, ok := parseHead([]byte(text)); !ok || got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	if _, ok := parseHead([]byte("HTTP/1.1 200 OK\r\nContent-Length: 128\r\n")); ok {
		t.Error("a head without its end is taken for whole")
	}
}
