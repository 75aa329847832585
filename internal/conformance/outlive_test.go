//go:build linux

package conformance

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// TestATrailerEndsWithItsAnswer: the trailer section of one client's answer was
// once added to the next client's, where that ended with its connection.
func TestATrailerEndsWithItsAnswer(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			addr := start(t, kind, play(t, func(c net.Conn, req *http.Request) {
				answer := "HTTP/1.1 200 OK\r\n\r\nto the end"
				if req.URL.Path == "/trailer" {
					answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Secret\r\n\r\n2\r\nhi\r\n0\r\nX-Secret: " + strings.Repeat("s", 100) + "\r\n\r\n"
				}
				_, _ = io.WriteString(c, answer)
			}))
			for range 10 {
				if _, _, trailer := fetch(t, addr, "/trailer"); len(trailer.Get("X-Secret")) != 100 {
					t.Fatalf("the first client's trailer section is %v", trailer)
				}
				if raw, body, trailer := fetch(t, addr, "/close"); len(trailer) > 0 || body != "to the end" || strings.Contains(raw, "Secret") {
					t.Fatalf("the second client got %q and the trailer section %v", raw, trailer)
				}
			}
		})
	}
}

// fetch is one exchange on a connection of its own.
func fetch(t *testing.T, addr, path string) (raw, body string, trailer http.Header) {
	t.Helper()
	c, err := rig.Dial(&net.Dialer{}, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(all))), nil)
	if err != nil {
		t.Fatalf("%v in %q", err, all)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%v in %q", err, all)
	}
	return string(all), string(b), res.Trailer
}
