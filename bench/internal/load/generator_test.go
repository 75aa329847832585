//go:build linux

package load

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rgate/bench/internal/origin"
)

// startOrigin runs an origin for the length of the test.
func startOrigin(t *testing.T) netip.AddrPort {
	t.Helper()
	s, err := origin.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.Serve(stop) }()
	t.Cleanup(func() {
		close(stop)
		if err := <-ended; err != nil {
			t.Errorf("the origin: %v", err)
		}
	})
	return s.Address
}

func paths(names ...string) []string {
	var list []string
	for _, name := range names {
		list = append(list, "/"+name)
	}
	return list
}

func TestClosedLoop(t *testing.T) {
	address := startOrigin(t)
	for name, request := range map[string]Request{
		"small":    {Paths: paths("a/128", "b/128"), Answer: 128},
		"browser":  {Paths: paths("128"), Answer: 128, Browser: true},
		"post":     {Paths: paths("128"), Answer: 128, Body: 1 << 10},
		"upload":   {Paths: paths("0"), Answer: 0, Body: 1 << 20},
		"download": {Paths: paths("1048576"), Answer: 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			clock := time.Duration(0)
			got, err := Run(Options{
				Address: address, Connections: 8, Request: request, Warmup: 10 * time.Millisecond, Duration: time.Second,
				Clock: func() (time.Duration, error) { clock += time.Second; return clock, nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			if got.Requests == 0 || got.Errors != 0 || got.Reconnects != 0 || got.P50 <= 0 || got.P99 < got.P50 {
				t.Errorf("%+v", got)
			}
			if got.CPU != time.Second || got.Elapsed < time.Second {
				t.Errorf("processor time %s in %s: not read at both ends", got.CPU, got.Elapsed)
			}
		})
	}
}

// An open loop sends what it was told to, neither more nor less.
func TestOpenLoop(t *testing.T) {
	got, err := Run(Options{
		Address: startOrigin(t), Connections: 8, Request: Request{Paths: paths("16"), Answer: 16},
		Rate: 2000, Duration: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := 2000 * got.Elapsed.Seconds(); float64(got.Requests) < 0.5*want || float64(got.Requests) > want+8 {
		t.Errorf("%d requests in %s, want about %.0f", got.Requests, got.Elapsed, want)
	}
	if got.Errors != 0 {
		t.Errorf("%d errors: %s", got.Errors, got.FirstError)
	}
}

// A server that stalls for a while pays for all that were due meanwhile.
func TestOpenLoopCountsFromTheDueMoment(t *testing.T) {
	release := make(chan struct{})
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		<-release
		fmt.Fprint(w, "x")
	})
	const stall = 200 * time.Millisecond
	time.AfterFunc(stall, func() { close(release) })
	got, err := Run(Options{
		Address: address, Connections: 1, Request: Request{Paths: paths("1"), Answer: 1},
		Rate: 1000, Duration: 2 * stall,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.P99 < stall/2 { // one alone in some hundreds would not show here
		t.Errorf("p99 %s: the requests that waited to be sent do not count", got.P99)
	}
}

func TestErrorsAreCounted(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		want   string
	}{
		"status":   {"HTTP/1.1 503 Down\r\nContent-Length: 1\r\n\r\nx", "status 503"},
		"length":   {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxx", "with 2 bytes"},
		"framing":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "with -1 bytes"},
		"too long": {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz", "2 bytes too many"},
		"cut":      {"HTTP/1.1 200 OK\r\nContent-", "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			address := listen(t, func(c net.Conn) { fmt.Fprint(c, test.answer) })
			got, err := Run(Options{
				Address: address, Connections: 1, Request: Request{Paths: paths("1"), Answer: 1}, Duration: 30 * time.Millisecond,
			})
			text := got.FirstError
			if err != nil { // so many that it gave up
				text = err.Error()
			}
			if !strings.Contains(text, test.want) {
				t.Errorf("error %q, want one with %q", text, test.want)
			}
		})
	}
}

// A server may close a connection after an answer.
func TestReconnect(t *testing.T) {
	address := listen(t, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx") })
	got, err := Run(Options{
		Address: address, Connections: 2, Request: Request{Paths: paths("1"), Answer: 1}, Duration: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Reconnects == 0 || got.Errors != 0 {
		t.Errorf("%+v", got)
	}
}

func TestHold(t *testing.T) {
	held, err := Hold(Options{Address: startOrigin(t), Connections: 20, Request: Request{Paths: paths("64"), Answer: 64}})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	if closed := held.Closed(); closed != 0 || len(held.conns) != 20 {
		t.Errorf("%d of %d connections are closed", closed, len(held.conns))
	}
	address := listen(t, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nx") })
	if _, err := Hold(Options{Address: address, Connections: 2, Request: Request{Paths: paths("1"), Answer: 1}}); err == nil {
		t.Error("a wrong answer is no error")
	}
}

// listen answers one request on each connection, and closes it.
func listen(t *testing.T, answer func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				answer(c)
			}
			c.Close()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

func serve(t *testing.T, handler http.HandlerFunc) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	return netip.MustParseAddrPort(l.Addr().String())
}
