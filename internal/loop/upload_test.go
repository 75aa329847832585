//go:build linux

package loop

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

// fill writes to c until every buffer on the way is full, or c is closed.
func fill(c net.Conn) {
	for block, err := make([]byte, 1<<20), error(nil); err == nil; {
		_ = c.SetWriteDeadline(time.Now().Add(short))
		_, err = c.Write(block)
	}
}

const hugePost = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n"

// What the endpoint has not read when it closes resets the connection, while
// more waits to be sent to it.
func TestEndpointThatResetsAnUpload(t *testing.T) {
	full := make(chan struct{})
	g := start(t, func(c *config.Config, _ *Options) { c.Backends[0].Traffic.Retries = 0 }, raw(t, func(_ net.Conn, r *bufio.Reader) {
		readHead(r)
		<-full
	}))
	c := g.dial()
	_, _ = io.WriteString(c, hugePost)
	fill(c)
	close(full)
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 502 ") {
		t.Errorf("got %q, %v", line, err)
	}
	g.settled()
}

// A body that is moved through the loop ends where the next request begins.
func TestALargeBodyTakesNothingOfTheNextRequest(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcde\n"), 20_000)
	got := make(chan string, 2)
	g := start(t, nil, serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.Method == http.MethodPost && !bytes.Equal(b, body) {
			t.Errorf("%s %s: %d bytes, %v", r.Method, r.URL, len(b), err)
		}
		got <- r.Method + " " + r.URL.Path
	}))
	raw := "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 320000\r\n\r\n" + string(body) + "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	if s := g.exchange(raw); strings.Count(s, "HTTP/1.1 200 OK\r\n") != 2 {
		t.Errorf("got %q", s)
	}
	if first, second := <-got, <-got; first != "POST /1" || second != "GET /2" {
		t.Errorf("the endpoint got %s and %s", first, second)
	}
}

// What a slow endpoint has not taken yet waits, and nothing is lost.
func TestSlowEndpointGetsAllOfAnUpload(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcde\n"), 1<<20)
	full := make(chan struct{})
	g := start(t, nil, serve(t, func(w http.ResponseWriter, r *http.Request) {
		<-full
		b, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(b, body) {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	}))
	c := g.dial()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16777216\r\nConnection: close\r\n\r\n")
	_ = c.SetWriteDeadline(time.Now().Add(short))
	sent, _ := c.Write(body) // until every buffer on the way is full
	if sent == len(body) {
		t.Fatalf("%d bytes went ahead of the endpoint", sent)
	}
	close(full)
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	if _, err := c.Write(body[sent:]); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 200 ") {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestClientThatLeavesInTheMiddleOfAnUpload(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan int64, 1)
	g := start(t, nil, raw(t, func(_ net.Conn, r *bufio.Reader) {
		readHead(r)
		close(begun)
		n, _ := io.Copy(io.Discard, r)
		ended <- n
	}))
	c := g.dial()
	_, _ = io.WriteString(c, hugePost)
	<-begun
	if _, err := c.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if n := <-ended; n > 1<<20 {
		t.Errorf("the endpoint got %d bytes", n)
	}
	g.settled()
}
