package main

import (
	"bytes"
	"net"
	"net/http"
	"sync"
)

// connKey finds the connection of a request in its context.
type connKey struct{}

// headKey finds the bytes of a request's head in its context.
type headKey struct{}

// tapListener taps the connections it accepts.
type tapListener struct{ net.Listener }

func (l tapListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tap{Conn: c}, nil
}

// tap remembers what was read from a connection, because net/http keeps
// neither the order nor the spelling of headers.
type tap struct {
	net.Conn
	mu   sync.Mutex
	seen []byte
}

// The tail kept is larger than any request head net/http lets through.
const tapLimit, tapKeep = 4 << 20, 2 << 20

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, p[:n]...)
	if len(t.seen) > tapLimit {
		t.seen = append([]byte(nil), t.seen[len(t.seen)-tapKeep:]...)
	}
	return n, err
}

// head is the request's head as it came, and forgets what came up to its end.
// It is to be called once per request.
func (t *tap) head(r *http.Request) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := []byte(r.Method + " " + r.RequestURI + " " + r.Proto)
	start := bytes.Index(t.seen, line)
	if start < 0 {
		return nil
	}
	length := bytes.Index(t.seen[start:], []byte("\r\n\r\n"))
	if length < 0 {
		return nil
	}
	end := start + length + 4
	head := bytes.Clone(t.seen[start:end])
	t.seen = bytes.Clone(t.seen[end:])
	return head
}
