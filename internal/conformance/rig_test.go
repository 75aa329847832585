//go:build linux

package conformance

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// protoOf is what endpoints are told of a way's scheme.
func protoOf(way string) string {
	if rig.Secure(way) {
		return "https"
	}
	return "http"
}

// start serves / from endpoint until the test ends, and returns the address.
func start(t testing.TB, kind, endpoint string) string {
	t.Helper()
	return rig.Start(t, kind, nil, endpoint).Addr
}

// recorder is an endpoint that reads requests as net/http would, notes them,
// and sends a raw answer to each. An empty answer is a plain one.
type recorder struct {
	mu      sync.Mutex
	seen    []reading
	headers []http.Header
	refused []error // why requests could not be read
	addr    string
}

func record(t *testing.T, answer string) *recorder {
	t.Helper()
	r := &recorder{}
	r.addr = accept(t, func(c net.Conn) { r.converse(c, answer) })
	return r
}

// accept has f carry each connection to an address, which it returns, until the
// test ends.
func accept(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	return ends.Talk(t, func(c net.Conn, _ *bufio.Reader) { f(c) })
}

func (r *recorder) converse(c net.Conn, answer string) {
	in := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			r.refuse(err)
			forget(c)
			return
		}
		got := readingOf(req)
		r.mu.Lock()
		r.seen = append(r.seen, got)
		r.headers = append(r.headers, req.Header)
		r.mu.Unlock()
		if answer != "" {
			_, _ = io.WriteString(c, answer)
			return // an answer of the table's ends the connection
		}
		plain := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
		if got.method != http.MethodHead {
			plain += "ok"
		}
		if _, err := io.WriteString(c, plain); err != nil {
			return
		}
	}
}

// forget has the closing of c, whose other side has ended already, reset it. A
// connection closed in order holds its place in the kernel's connection tracking
// for minutes, and a fuzz target makes thousands in a second.
func forget(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }

// refuse notes an error that is not the connection's end.
func (r *recorder) refuse(err error) {
	var e net.Error
	if err == io.EOF || err == io.ErrUnexpectedEOF || errors.As(err, &e) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = append(r.refused, err)
}

// complete are the requests that arrived whole.
func (r *recorder) complete() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, got := range r.seen {
		if got.whole {
			all = append(all, got.method+" "+got.target+" "+got.body)
		}
	}
	return all
}

// dial opens a client connection that fails the test instead of hanging.
func dial(t *testing.T, addr string) (rig.Conn, *bufio.Reader) {
	t.Helper()
	c, err := rig.Dial(&net.Dialer{}, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	return c, bufio.NewReader(c)
}

// dialWay is for an http.Transport, which then has no need to know of TLS.
func dialWay(_ context.Context, _, addr string) (net.Conn, error) {
	return rig.Dial(&net.Dialer{}, addr)
}

// exchange sends raw, ends the sending side only where nothing is answered,
// and returns what came until the connection ended.
func exchange(t *testing.T, addr, raw string) string {
	t.Helper()
	c, err := rig.Dial(&net.Dialer{}, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	_, _ = io.WriteString(c, raw)
	b, err := io.ReadAll(c)
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Errorf("the connection hangs after %q", b)
	}
	return string(b)
}

// statuses are the status codes of the answers in raw, in order.
func statuses(raw, method string) []int {
	var all []int
	r := bufio.NewReader(strings.NewReader(raw))
	for {
		res, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return all
		}
		all = append(all, res.StatusCode)
		_, _ = io.Copy(io.Discard, res.Body)
	}
}
