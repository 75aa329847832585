package standard

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *config.Config) { c.Limits.HeaderCount = 20 }, backend(t, hello))
	big := strings.Repeat("x", 40<<10)
	for _, c := range []struct {
		request, reason string
		status          int
	}{
		{"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "not_supported", 501},
		{"GET /../x HTTP/1.1\r\nHost: h\r\n\r\n", "bad_request", 400},
		{"GET /%252e%252e/ HTTP/1.1\r\nHost: h\r\n\r\n", "bad_request", 400},
		{"GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", "bad_request", 400},
		{"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "bad_request", 400},
		{"GET / HTTP/1.1\r\n\r\n", "bad_request", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "bad_request", 400},
		{"GET /\r\n\r\n", "bad_request", 400},
		{"nonsense\r\n\r\n", "bad_request", 400},
		{"GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n", "bad_request", 400},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "bad_request", 400},
		{"GET / HTTP/1.1\r\nHost: h\r\nA: " + big + "\r\n\r\n", "header_too_large", 431},
		{"GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: b\r\n", 30) + "\r\n", "header_too_large", 431},
		{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "bad_request", 400},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad_request", 400},
		{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad_request", 400},
		{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "not_supported", 501},
		{"GET / HTTP/1.1\nHost: h\n\n", "bad_request", 400},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "not_supported", 505},
	} {
		before := r.gate.Table().Total().Report().Requests.Error
		p := r.dial()
		p.say("%s", c.request)
		res, text := p.response("GET")
		if res.StatusCode != c.status || res.Header.Get("X-Rgate-Reason") != c.reason || text == "" || res.Header.Get("X-Request-Id") == "" {
			t.Errorf("%.60q: %d %q %v", c.request, res.StatusCode, text, res.Header)
		}
		p.Close()
		r.eventually("it is counted", func() bool { return r.gate.Table().Total().Report().Requests.Error == before+1 })
	}
	if n := r.gate.Table().Total().InFlight; n != 0 {
		t.Errorf("%d in flight", n)
	}
}

func TestReasonHeaderCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *config.Config) { c.ReasonHeader, c.Routes = false, nil })
	res, text := r.get("GET /")
	if res.StatusCode != 404 || text != "No route takes this path.\n" || res.Header["X-Rgate-Reason"] != nil {
		t.Errorf("%d %q %v", res.StatusCode, text, res.Header)
	}
	if res, text := r.get("GET /stats"); res.StatusCode != 200 || text != "statistics" {
		t.Errorf("stats: %d %q", res.StatusCode, text)
	}
	r.eventually("the statistics page is not counted", func() bool {
		s := r.gate.Table().Total()
		return s.Report().Requests.Error == 1 && s.Report().Requests.Success == 0 && s.InFlight == 0
	})
}

// echoSocket switches protocols and sends back what it gets.
func echoSocket(t *testing.T, heads chan<- string) string {
	return rawBackend(t, func(_ int, c net.Conn, in *bufio.Reader) {
		head := readHead(in)
		heads <- head
		if !strings.Contains(head, "Upgrade: websocket") {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain")
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst")
		_, _ = io.Copy(c, in)
		io.WriteString(c, "last")
	})
}

const handshake = "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n"

func TestWebSocket(t *testing.T) {
	t.Parallel()
	heads := make(chan string, 1)
	r := start(t, nil, echoSocket(t, heads))
	p := r.dial()
	p.say(handshake)
	if head := readHead(p.r); !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		t.Fatalf("%q", head)
	}
	<-heads
	p.say("hello")
	got := make([]byte, len("firsthello"))
	if _, err := io.ReadFull(p.r, got); err != nil || string(got) != "firsthello" {
		t.Fatalf("%q %v", got, err)
	}
	_ = p.Conn.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(p.r); err != nil || string(rest) != "last" {
		t.Errorf("%q %v", rest, err)
	}
	r.eventually("it is counted apart", func() bool {
		s := r.gate.Table().Total()
		return s.InFlight == 0 && s.Informational == 1 && s.BytesIn == 5 && s.BytesOut == 14 && s.Report().Requests.Success == 0
	})
}

func TestOtherUpgradesAreNotForwarded(t *testing.T) {
	t.Parallel()
	heads := make(chan string, 1)
	r := start(t, nil, echoSocket(t, heads))
	for _, fields := range [][]string{
		{"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAA"},
		{"Connection: Upgrade", "Upgrade: h2c, websocket"},
		{"Upgrade: h2c"},
	} {
		res, text := r.get("GET /", fields...)
		if head := <-heads; res.StatusCode != 200 || text != "plain" || strings.Contains(strings.ToLower(head), "upgrade") ||
			strings.Contains(strings.ToLower(head), "http2-settings") {
			t.Errorf("%v: %d %q: %q", fields, res.StatusCode, text, head)
		}
	}
}

func TestConnectionLimits(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *config.Config) {
		c.Limits.ConnectionsPerClient, c.Limits.RequestsPerConnection = 1, 2
	}, backend(t, hello))
	p := r.dial()
	p.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if res, _ := p.response("GET"); res.Close {
		t.Error("closed too early")
	}
	if res, _ := r.dial().response("GET"); res.StatusCode != 503 || res.Header.Get("X-Rgate-Reason") != "overloaded" {
		t.Errorf("second connection: %v", res)
	}
	p.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if res, _ := p.response("GET"); !res.Close {
		t.Error("the second request is the last, and the client is not told")
	}
	p.Close()
	r.eventually("the place is free again", func() bool {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			return false
		}
		defer c.Close()
		fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
		text, _ := io.ReadAll(c)
		return strings.HasPrefix(string(text), "HTTP/1.1 200")
	})
}

func TestForget(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	r := start(t, nil, rawBackend(t, func(_ int, c net.Conn, in *bufio.Reader) {
		readHead(in)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		_, _ = in.ReadByte()
		close(closed)
	}))
	r.get("GET /")
	ep := r.gate.Table().Endpoints()[0]
	r.eventually("the connection is closed", func() bool {
		r.Forget(ep)
		select {
		case <-closed:
			return true
		default:
			return false
		}
	})
	if r.pools.pop(ep, time.Now(), false) != nil {
		t.Error("the endpoint is remembered")
	}
}
