//go:build linux

package conformance

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// play is an endpoint that does f with every request's head.
func play(t *testing.T, f func(c net.Conn, req *http.Request)) string {
	t.Helper()
	return accept(t, func(c net.Conn) {
		if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			f(c, req)
		}
	})
}

// expectant is a client that has asked whether to send its body.
func expectant(t *testing.T, kind, endpoint string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, in := dial(t, start(t, kind, endpoint))
	if _, err := io.WriteString(c, post+"Expect: 100-continue\r\nContent-Length: 35\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return c, in
}

// expectedBody looks like a request, and is none.
const expectedBody = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

// answerOf reads one answer, interim ones included.
func answerOf(t *testing.T, in *bufio.Reader) *http.Response {
	t.Helper()
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestExpectedBodyComesAfterTheEndpointAskedForIt: 9110 10.1.1.
func TestExpectedBodyComesAfterTheEndpointAskedForIt(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			got := make(chan string, 1)
			c, in := expectant(t, kind, play(t, func(c net.Conn, req *http.Request) {
				_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
				b, _ := io.ReadAll(req.Body)
				got <- string(b)
				_, _ = io.WriteString(c, okAnswer)
			}))
			if res := answerOf(t, in); res.StatusCode != 100 {
				t.Fatalf("got %d, want 100", res.StatusCode)
			}
			if _, err := io.WriteString(c, expectedBody); err != nil {
				t.Fatal(err)
			}
			if res := answerOf(t, in); res.StatusCode != 200 {
				t.Errorf("got %d, want 200", res.StatusCode)
			}
			if b := <-got; b != expectedBody {
				t.Errorf("the endpoint got %q", b)
			}
		})
	}
}

// TestUnwantedBodyIsNoRequest: 9110 10.1.1. An endpoint refuses at
// once; what the client then sends, the body or not, is never a request.
func TestUnwantedBodyIsNoRequest(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			var mu sync.Mutex
			var targets []string
			c, in := expectant(t, kind, play(t, func(c net.Conn, req *http.Request) {
				mu.Lock()
				targets = append(targets, req.RequestURI)
				mu.Unlock()
				_, _ = io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
				_, _ = io.Copy(io.Discard, c)
			}))
			res := answerOf(t, in)
			if b, _ := io.ReadAll(res.Body); res.StatusCode != 401 || string(b) != "no" {
				t.Errorf("got %d %q, want 401", res.StatusCode, b)
			}
			_, _ = io.WriteString(c, expectedBody)
			rest, err := io.ReadAll(in)
			if e, ok := err.(net.Error); ok && e.Timeout() || strings.Contains(string(rest), "HTTP/1.") {
				t.Errorf("got %q, %v, want the connection's end", rest, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(targets) != 1 || targets[0] != "/" {
				t.Errorf("the endpoint got %q", targets)
			}
		})
	}
}

// TestExpectedBodyIsNotWaitedForInVain: with no endpoint to
// be reached the client is told at once, though it never sends its body.
func TestExpectedBodyIsNotWaitedForInVain(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			_, in := expectant(t, kind, ends.Nobody)
			if res := answerOf(t, in); res.StatusCode != 503 {
				t.Errorf("got %d, want 503", res.StatusCode)
			}
		})
	}
}

// A client that waits for leave to send its body gets it, though what comes with
// it is too much.
func TestContinueIsNotDroppedForWantOfRoom(t *testing.T) {
	filler := "X-Filler: " + strings.Repeat("f", 4<<10) + "\r\n"
	for name, before := range map[string]string{
		"fields": "HTTP/1.1 100 Continue\r\n" + strings.Repeat(filler, 6) + "\r\n",
		"hints":  strings.Repeat("HTTP/1.1 103 Early Hints\r\n"+filler+"\r\n", 4) + "HTTP/1.1 100 Continue\r\n" + filler + "\r\n",
	} {
		for _, kind := range rig.Ways {
			t.Run(name+"/"+kind, func(t *testing.T) {
				c, in := expectant(t, kind, play(t, func(c net.Conn, req *http.Request) {
					_, _ = io.WriteString(c, before)
					_, _ = io.Copy(io.Discard, req.Body)
					_, _ = io.WriteString(c, okAnswer)
				}))
				for status := 0; status != 100; {
					if status = answerOf(t, in).StatusCode; status != 100 && status != 103 {
						t.Fatalf("got %d, want 100", status)
					}
				}
				_, _ = io.WriteString(c, expectedBody)
				if res := answerOf(t, in); res.StatusCode != 200 {
					t.Errorf("got %d, want 200", res.StatusCode)
				}
			})
		}
	}
}
