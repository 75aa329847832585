package standard

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"rgate/internal/config"
)

const pipeline = "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none" +
	"POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\ntw\r\n1\r\no\r\n0\r\nA: b\r\n\r\n" +
	"GET /3 HTTP/1.1\r\nHost: h\r\n\r\n" +
	"POST /4 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
	"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"

func TestPipelinesAreFollowed(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		fmt.Fprintf(w, "%s %s", q.URL.Path, body)
	}))
	for name, send := range map[string]func(p *peer){
		"at once": func(p *peer) { p.say("%s", pipeline) },
		"byte by byte": func(p *peer) {
			// The connection may be closed before the last bytes are out.
			_, _ = io.Copy(onlyWriter{p.Conn}, iotest.OneByteReader(strings.NewReader(pipeline)))
		},
	} {
		p := r.dial()
		go send(p)
		for _, want := range []string{"/1 one", "/2 two", "/3 "} {
			if res, text := p.response("POST"); res.StatusCode != 200 || text != want {
				t.Errorf("%s: %d %q, want %q", name, res.StatusCode, text, want)
			}
		}
		res, text := p.response("POST")
		if res.StatusCode != 400 || !strings.Contains(text, "Content-Length") || !res.Close {
			t.Errorf("%s: %d %q", name, res.StatusCode, text)
		}
		if _, err := p.r.ReadByte(); err == nil {
			t.Errorf("%s: the smuggled request was answered", name)
		}
	}
}

type onlyWriter struct{ io.Writer }

func TestUpgradeThatTheEndpointDeclines(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, hello))
	p := r.dial()
	p.say(handshake)
	if res, text := p.response("GET"); res.StatusCode != 200 || text != "hello " || res.Close {
		t.Errorf("%v %q", res, text)
	}
}

func TestSlowHeads(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *config.Config) { c.Timeouts.ClientHeader = 2 * time.Second }, backend(t, hello))
	for range 2 {
		p := r.dial()
		p.say("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HT")
		if res, _ := p.response("GET"); res.StatusCode != 200 {
			t.Fatal(res.Status)
		}
		if _, err := io.Copy(io.Discard, p.r); err != nil {
			t.Errorf("the client may take as long as it likes: %v", err)
		}
	}
}

func TestClientLeavesDuringUpload(t *testing.T) {
	t.Parallel()
	r := start(t, nil, rawBackend(t, func(_ int, c net.Conn, in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) }))
	p := r.dial()
	p.say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
	r.eventually("it is under way", func() bool { return r.gate.Table().Total().InFlight == 1 })
	p.Close()
	r.eventually("it counts as 499", func() bool { return r.counted(4) == 1 && r.gate.Table().Total().InFlight == 0 })
}

// An endpoint that answers before it has the body, and a client that waits for
// the answer before it sends more.
func TestEarlyAnswers(t *testing.T) {
	t.Parallel()
	r := start(t, nil, rawBackend(t, func(_ int, c net.Conn, in *bufio.Reader) {
		readHead(in)
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		_, _ = io.Copy(io.Discard, in)
	}))
	p := r.dial()
	p.say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc")
	if res, _ := p.response("POST"); res.StatusCode != 413 {
		t.Errorf("%d", res.StatusCode)
	}
	r.eventually("it ends", func() bool { return r.gate.Table().Total().InFlight == 0 })
}
