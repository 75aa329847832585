//go:build linux

package faults

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rgate/internal/rig/ends"
)

// fault is what happens to one connection. The zero fault is none.
type fault struct {
	hangsUp bool          // before it reads anything, with a reset
	silent  bool          // takes the request and never answers
	leaves  bool          // takes the request and closes
	say     string        // instead of the endpoint's answer, and then closes
	extra   string        // right behind the endpoint's answer
	after   int           // bytes of the answer, after which it ends; 0 for never
	reset   bool          // with a reset
	latency time.Duration // before the answer
	drip    bool          // byte by byte
	chunked bool
}

// endpoint answers requests. Its first connection has a fault, those after it
// have none.
type endpoint struct {
	addr  string
	conns atomic.Int64
	seen  atomic.Int64 // requests
	fault fault
}

func newEndpoint(t *testing.T, f fault) *endpoint {
	t.Helper()
	e := &endpoint{fault: f}
	e.addr = ends.Talk(t, func(c net.Conn, in *bufio.Reader) {
		f := fault{}
		if e.conns.Add(1) == 1 {
			f = e.fault
		}
		e.carry(c.(*net.TCPConn), in, f)
	})
	return e
}

// carry answers until the gateway ends or the fault strikes.
func (e *endpoint) carry(c *net.TCPConn, in *bufio.Reader, f fault) {
	if f.hangsUp {
		_ = c.SetLinger(0)
		return
	}
	for {
		q, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, q.Body); err != nil {
			return
		}
		e.seen.Add(1)
		switch {
		case f.leaves:
			return
		case f.silent:
			_, _ = io.Copy(io.Discard, in)
			return
		case f.say != "":
			_, _ = io.WriteString(c, f.say)
			return
		}
		answer := answerTo(q.URL.Path, f.chunked) + f.extra // in one piece: what comes later may come too late to be told
		time.Sleep(f.latency)
		if f.after > 0 {
			_, _ = io.WriteString(c, answer[:f.after])
			if f.reset {
				time.Sleep(20 * time.Millisecond) // a reset overtakes what is not read yet
				_ = c.SetLinger(0)
			}
			return
		}
		if !send(c, answer, f.drip) {
			return
		}
	}
}

func send(c net.Conn, answer string, drip bool) bool {
	step := len(answer)
	if drip {
		step = 1
	}
	for at := 0; at < len(answer); at += step {
		if _, err := io.WriteString(c, answer[at:at+step]); err != nil {
			return false
		}
	}
	return true
}

// answerTo is a whole answer to a request for path. It is long enough to be cut
// in its head, in its body, and tells which request it is for.
func answerTo(path string, chunked bool) string {
	body := bodyFor(path)
	if !chunked {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	half := len(body) / 2
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n",
		half, body[:half], len(body)-half, body[half:])
}

func bodyFor(path string) string { return strings.Repeat("the answer to "+path+"\n", 100) }
