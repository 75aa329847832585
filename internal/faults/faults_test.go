//go:build linux

package faults

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http tells of what comes unasked, at length
	goleak.VerifyTestMain(m)
}

const (
	inHead = 20 // bytes of an answer
	inBody = 1000
	broken = -1 // the status of an answer that visibly breaks off
)

// faultCases say what a client gets whose request meets the fault: to a GET,
// which may be sent again, and to a POST, which may not.
var faultCases = []struct {
	name      string
	fault     fault
	get, post int
	pooled    bool // the connection is used again
}{
	{"none", fault{}, 200, 200, true},
	{"chunked", fault{chunked: true}, 200, 200, true},
	{"slow to answer", fault{latency: 100 * time.Millisecond}, 200, 200, true},
	{"byte by byte", fault{drip: true}, 200, 200, true},
	{"byte by byte, chunked", fault{drip: true, chunked: true}, 200, 200, true},
	{"silent", fault{silent: true}, 200, 504, false},
	{"closes after the request", fault{leaves: true}, 200, 502, false},
	{"closes in the head", fault{after: inHead}, 200, 502, false},
	{"resets in the head", fault{after: inHead, reset: true}, 200, 502, false},
	{"closes in the body", fault{after: inBody}, broken, broken, false},
	{"resets in the body", fault{after: inBody, reset: true}, broken, broken, false},
	{"closes in a chunk", fault{after: inBody, chunked: true}, broken, broken, false},
	{"resets in a chunk", fault{after: inBody, chunked: true, reset: true}, broken, broken, false},
	{"garbage", fault{say: "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"}, 502, 502, false},
	{"garbage in the head", fault{say: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\x00\r\n\r\nhello"}, 502, 502, false},
	{"more than the answer", fault{extra: answerTo("/smuggled", false)}, 200, 200, false},
	{"more than the chunked answer", fault{chunked: true, extra: answerTo("/smuggled", false)}, 200, 200, false},
}

// patient has a request that timed out sent again, too.
func patient(cfg *config.Config) {
	cfg.Timeouts.ResponseHeader = 2 * time.Second
	cfg.Backends[0].Traffic.RetryTimeouts = true
}

func TestFaults(t *testing.T) {
	for _, kind := range rig.Engines {
		for _, c := range faultCases {
			for method, want := range map[string]int{"GET": c.get, "POST": c.post} {
				t.Run(kind+"/"+c.name+"/"+method, func(t *testing.T) {
					t.Parallel()
					e := newEndpoint(t, c.fault)
					r := rig.Start(t, kind, patient, e.addr)
					p := &client{t: t, addr: r.Addr}
					if status := p.ask(method, "/first"); status != want {
						t.Errorf("the client got %d, want %d", status, want)
					}
					if status := p.ask(method, "/second"); status != 200 {
						t.Errorf("the next request got %d", status)
					}
					p.close()
					requests, conns, retries := int64(2), int64(2), uint64(0)
					if c.pooled && method == "GET" { // for a POST it is not known yet how long it lives
						conns = 1
					}
					if e.fault.failsBefore() && method == "GET" {
						requests, retries = 3, 1
					}
					check(t, r, e, requests, conns, retries)
					if n := r.Gate.Table().Total().Truncated; (n == 1) != (want == broken) {
						t.Errorf("%d counted as truncated", n)
					}
				})
			}
		}
	}
}

// failsBefore tells whether the fault strikes before a response head is whole,
// so that the request is sent again where it may be.
func (f fault) failsBefore() bool { return f.silent || f.leaves || f.after == inHead }

// check compares what was seen and counted, once everything has ended.
func check(t *testing.T, r *rig.Rig, e *endpoint, requests, conns int64, retries uint64) {
	t.Helper()
	ends.Until(t, "all exchanges end", func() bool {
		ep := r.Gate.Table().Endpoints()[0]
		return r.Gate.Table().Total().InFlight == 0 && ep.InFlight() == 0 && ep.Stats.InFlight() == 0
	})
	if n := e.seen.Load(); n != requests {
		t.Errorf("the endpoint saw %d requests, want %d", n, requests)
	}
	if n := e.conns.Load(); n != conns {
		t.Errorf("the endpoint saw %d connections, want %d", n, conns)
	}
	if n := r.Gate.Table().Routes[0].Targets[0].Stats.Snapshot().Retries; n != retries {
		t.Errorf("%d retries, want %d", n, retries)
	}
}

// A reset before anything is read may come before or after a request is
// written: what may not be sent twice is then lost or not, but never sent twice.
func TestHangUps(t *testing.T) {
	for _, kind := range rig.Engines {
		for _, method := range []string{"GET", "POST"} {
			t.Run(kind+"/"+method, func(t *testing.T) {
				t.Parallel()
				e := newEndpoint(t, fault{hangsUp: true})
				p := &client{t: t, addr: rig.Start(t, kind, nil, e.addr).Addr}
				status := p.ask(method, "/first")
				if status != 200 && (method == "GET" || status < 502) {
					t.Errorf("the client got %d", status)
				}
				if status := p.ask(method, "/second"); status != 200 {
					t.Errorf("the next request got %d", status)
				}
				p.close()
				if n := e.seen.Load(); n > 2 {
					t.Errorf("two requests were sent %d times", n)
				}
			})
		}
	}
}

// A fault on one endpoint sends the request to the other.
func TestFaultsAreRetriedElsewhere(t *testing.T) {
	for _, kind := range rig.Engines {
		for name, f := range map[string]fault{
			"silent": {silent: true}, "leaves": {leaves: true}, "in the head": {after: inHead, reset: true},
		} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				sick, well := newEndpoint(t, f), newEndpoint(t, fault{})
				r := rig.Start(t, kind, func(cfg *config.Config) {
					patient(cfg)
					cfg.Backends[0].Traffic.Balance.Policy = config.BalanceRoundRobin
				}, sick.addr, well.addr)
				p := &client{t: t, addr: r.Addr}
				for range 2 { // one of them meets the fault
					if status := p.ask("GET", "/first"); status != 200 {
						t.Errorf("the client got %d", status)
					}
				}
				p.close()
				if sick.seen.Load() != 1 || well.seen.Load() != 2 {
					t.Errorf("the sick one saw %d requests, the other %d", sick.seen.Load(), well.seen.Load())
				}
			})
		}
	}
}

// client asks on one connection as long as that lives.
type client struct {
	t    *testing.T
	addr string
	conn net.Conn
	in   *bufio.Reader
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// ask is the status of the answer to a request; broken where the answer
// visibly has no end. An answer with status 200 must be whole and the right one.
func (c *client) ask(method, path string) int {
	c.t.Helper()
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.addr)
		if err != nil {
			c.t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(ends.Patience))
		c.conn, c.in = conn, bufio.NewReader(conn)
	}
	fmt.Fprintf(c.conn, "%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", method, path)
	res, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.close()
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			c.t.Error("the answer hangs")
		}
		return broken
	}
	if res.StatusCode == 200 && string(body) != bodyFor(path) {
		c.t.Errorf("%s was answered with %.80q", path, body)
	}
	if strings.Contains(string(body), "smuggled") {
		c.t.Error("the client got what was behind the answer")
	}
	if res.Close {
		c.close()
	}
	return res.StatusCode
}
