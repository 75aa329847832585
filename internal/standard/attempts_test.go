package standard

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rgate/internal/config"
)

func hello(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	fmt.Fprintf(w, "hello %s", body)
}

func TestRefusedConnectionsAreRetriedElsewhere(t *testing.T) {
	t.Parallel()
	r := start(t, nil, nowhere, backend(t, hello))
	for i := range 10 {
		method, fields := "GET /", []string{}
		if i%2 == 1 {
			method, fields = "POST /", []string{"Content-Length: 0"}
		}
		if res, text := r.get(method, fields...); res.StatusCode != 200 || text != "hello " {
			t.Fatalf("%s: %d %q", method, res.StatusCode, text)
		}
	}
	p := r.dial()
	p.say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nworld")
	if _, text := p.response("POST"); text != "hello world" {
		t.Errorf("body: %q", text)
	}
}

func TestFailuresOfEndpoints(t *testing.T) {
	t.Parallel()
	say := func(text string) string {
		return rawBackend(t, func(_ int, c net.Conn, in *bufio.Reader) {
			readHead(in)
			io.WriteString(c, text)
		})
	}
	silent := rawBackend(t, func(_ int, c net.Conn, in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) })
	for _, c := range []struct {
		name, reason string
		status       int
		endpoints    []string
	}{
		{"none", "no_endpoint", 503, nil},
		{"refused", "connect_failed", 503, []string{nowhere}},
		{"closes", "upstream_closed", 502, []string{say("")}},
		{"half a head", "upstream_closed", 502, []string{say("HTTP/1.1 200 OK\r\nA: b\r\n")}},
		{"no HTTP", "upstream_invalid", 502, []string{say("SSH-2.0-OpenSSH\r\n\r\n")}},
		{"unasked 101", "upstream_invalid", 502, []string{say("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")}},
		{"silent", "upstream_timeout", 504, []string{silent}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, func(cfg *config.Config) {
				if c.status == 504 { // the others are told of sooner, however busy the machine is
					cfg.Timeouts.ResponseHeader = 100 * time.Millisecond
				}
				cfg.Backends[0].Traffic.Retries = 1
			}, c.endpoints...)
			res, text := r.get("POST /x", "Content-Length: 0")
			if res.StatusCode != c.status || res.Header.Get("X-Rgate-Reason") != c.reason || text == "" || len(res.Header.Get("X-Request-Id")) != 36 {
				t.Errorf("%d %q %v", res.StatusCode, text, res.Header)
			}
			if again := res.Header.Get("Retry-After"); (again == "1") != (c.status == 503) {
				t.Errorf("Retry-After: %q", again)
			}
			res, text = r.get("GET /x", "Accept: application/json")
			var body struct{ Reason string }
			if err := json.Unmarshal([]byte(text), &body); err != nil || body.Reason != c.reason || res.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%q %v: %v", text, res.Header, err)
			}
			if _, text := r.get("HEAD /x"); text != "" {
				t.Errorf("HEAD: %q", text)
			}
			r.eventually("all are counted", func() bool { return r.gate.Table().Total().Report().Requests.Error == 3 })
			if !strings.Contains(r.logs.String(), "reason="+c.reason) {
				t.Error("the reason is not in the log")
			}
		})
	}
}

// closing answers one request on each connection, and then closes it when
// told, as if an idle timeout had passed.
func closing(t *testing.T, stop <-chan struct{}, stopped chan<- struct{}, requests *atomic.Int64) string {
	return rawBackend(t, func(n int, c net.Conn, in *bufio.Reader) {
		q, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(q.Body)
		requests.Add(1)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		<-stop
		c.Close()
		stopped <- struct{}{}
	})
}

func TestStaleConnections(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST", "PUT"} {
		stop, stopped := make(chan struct{}), make(chan struct{}, 1)
		var requests atomic.Int64
		r := start(t, nil, closing(t, stop, stopped, &requests))
		p := r.dial()
		for i := range 20 {
			body := strings.Repeat("b", i*100)
			p.say("%s / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", method, len(body), body)
			if res, text := p.response(method); res.StatusCode != 200 || text != body {
				t.Fatalf("%s %d: %d %q", method, i, res.StatusCode, text)
			}
			stop <- struct{}{} // the endpoint closes just before the next request comes
			<-stopped
		}
		if n := requests.Load(); n != 20 {
			t.Errorf("%s: the endpoint saw %d requests", method, n)
		}
		close(stop)
		p.Close()
	}
}

// A kept-alive connection that dies with the request in it.
func TestRequestsLostOnKeptAliveConnections(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{"GET": 200, "PUT": 200} { // a POST is not sent on such a one
		var second atomic.Int64
		r := start(t, nil, rawBackend(t, func(n int, c net.Conn, in *bufio.Reader) {
			for i := 0; ; i++ {
				q, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				body, _ := io.ReadAll(q.Body)
				if n == 0 && i == 1 {
					second.Add(1)
					return
				}
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			}
		}))
		p := r.dial()
		p.say("%s / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", method)
		p.response(method)
		p.say("%s / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", method)
		if res, text := p.response(method); res.StatusCode != want || want == 200 && text != "hi" {
			t.Errorf("%s: %d %q", method, res.StatusCode, text)
		}
		if second.Load() != 1 {
			t.Errorf("%s: the connection was not reused", method)
		}
		p.Close()
	}
}

func TestRetriesOffMeansOnce(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	r := start(t, func(c *config.Config) { c.Backends[0].Traffic.Retries = 0 }, rawBackend(t, func(n int, c net.Conn, in *bufio.Reader) {
		for {
			q, err := http.ReadRequest(in)
			if err != nil || q.URL.Path == "/die" {
				seen.Add(1)
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}))
	p := r.dial()
	p.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	p.response("GET")
	p.say("GET /die HTTP/1.1\r\nHost: h\r\n\r\n")
	if res, _ := p.response("GET"); res.StatusCode != 502 || seen.Load() != 1 {
		t.Errorf("%d, sent %d times", res.StatusCode, seen.Load())
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	step, began := make(chan struct{}), make(chan struct{}, 10)
	r := start(t, func(c *config.Config) {
		c.Backends[0].Traffic.MaxInFlight = 1
		c.Backends[0].Traffic.Queue = config.Queue{Size: 1, Timeout: time.Minute}
	}, backend(t, func(w http.ResponseWriter, q *http.Request) {
		began <- struct{}{}
		<-step
	}))
	one, two := r.dial(), r.dial()
	one.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-began
	two.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	r.eventually("the second waits", func() bool { return r.gate.Table().Routes[0].Targets[0].Stats.InFlight() == 2 })
	r.eventually("the third is shed", func() bool {
		res, _ := r.get("GET /")
		return res.StatusCode == 503 && res.Header.Get("X-Rgate-Reason") == "overloaded"
	})
	two.Close() // gives its place in the queue up: 499
	r.eventually("the second is gone", func() bool { return r.counted(4) == 1 })
	three := r.dial()
	three.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	step <- struct{}{}
	<-began
	step <- struct{}{}
	for _, p := range []*peer{one, three} {
		if res, _ := p.response("GET"); res.StatusCode != 200 {
			t.Errorf("%d", res.StatusCode)
		}
	}
}
