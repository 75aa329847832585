package standard

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"rgate/internal/config"
)

// below is what TLS of r's clients would write to, and the other end of it.
func (r *rig) below() (s *steady, other net.Conn) {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	defer l.Close()
	if other, err = net.Dial("tcp", l.Addr().String()); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = other.Close() })
	socket, err := l.Accept()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = socket.Close() })
	return &steady{Conn: socket, client: &client{Conn: socket, socket: socket, engine: r.Engine}}, other
}

// TLS answers a change of keys whenever the client asks for one, be it long after
// the last answer was written.
func TestHTTPSWritesAfterTheTimeOfTheLastWrite(t *testing.T) {
	s, other := start(t, nil, backend(t, func(http.ResponseWriter, *http.Request) {})).below()
	if err := s.SetWriteDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for err := error(nil); err == nil; { // until the socket's time is over
		_, err = s.Conn.Write([]byte("x"))
	}
	go func() { _, _ = io.Copy(io.Discard, other) }()
	if _, err := s.Write([]byte("keys")); err != nil {
		t.Error(err)
	}
}

// A write that is ended ends, though the client took some of it.
func TestHTTPSWritesThatAreEnded(t *testing.T) {
	s, other := start(t, nil, backend(t, func(http.ResponseWriter, *http.Request) {})).below()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Write(make([]byte, 64<<20))
		ended <- err
	}()
	if _, err := io.ReadFull(other, make([]byte, 1<<20)); err != nil { // it is under way
		t.Fatal(err)
	}
	if err := s.SetWriteDeadline(past); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !isTimeout(err) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it goes on")
	}
}

// Who has not begun a handshake keeps no end waiting for one, and who begins one
// meanwhile is served.
func TestHTTPSHandshakesAtTheEnd(t *testing.T) {
	for name, linger := range map[string]time.Duration{"none": 10 * time.Millisecond, "a late one": time.Hour} {
		t.Run(name, func(t *testing.T) {
			r := start(t, func(c *config.Config) { c.Timeouts.ClientHeader = time.Hour }, backend(t, func(http.ResponseWriter, *http.Request) {}))
			raw, err := net.Dial("tcp", r.secure([]string{"a.example"}))
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			ended := make(chan error, 1)
			go func() { ended <- r.Shutdown(t.Context(), linger) }()
			for !r.stopping() {
				time.Sleep(time.Millisecond)
			}
			_ = raw.SetReadDeadline(time.Now().Add(20 * time.Second))
			if linger < time.Second {
				if _, err := io.ReadAll(raw); err != nil {
					t.Error(err)
				}
			} else {
				c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
				if resp, _ := ask(t, c, bufio.NewReader(c), "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); resp.StatusCode != 200 || !resp.Close {
					t.Errorf("%s, close %v", resp.Status, resp.Close)
				}
			}
			_ = raw.Close()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}
