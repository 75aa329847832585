package h2

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func hour() time.Duration { return time.Hour }

// streams is a listener of the streams of sessions: whatever serves HTTP/1.1
// serves them.
type streams struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *streams) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *streams) Close() error   { return nil }
func (l *streams) Addr() net.Addr { return &net.TCPAddr{} }

// serve answers HTTP/2 on a socket with handler, by an HTTP/1.1 server. It returns
// the address.
func serve(t *testing.T, change func(*Options), handler http.HandlerFunc) string {
	t.Helper()
	return serveFor(t, change, handler, hour)
}

// serveFor is serve with a time for heads, and for being without a stream.
func serveFor(t *testing.T, change func(*Options), handler http.HandlerFunc, patience func() time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Streams: 100, Head: 64 << 10, Fields: 128}
	if change != nil {
		change(&o)
	}
	s := &streams{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: handler}
	var all sync.WaitGroup
	all.Go(func() { _ = server.Serve(s) })
	all.Go(func() {
		for {
			socket, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer socket.Close()
				session := Session{Open: func(one *Stream) { s.take(one) }, Idle: patience, Head: patience}
				err := session.Serve(New(o), socket, nil)
				t.Logf("a session ended: %v", err)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		close(s.done)
		_ = server.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// client speaks HTTP/2 with prior knowledge.
func client(t *testing.T) *http.Client {
	t.Helper()
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: p, TLSClientConfig: &tls.Config{}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// raw is a client that says what it likes.
type raw struct {
	net.Conn
	*http2.Framer
	t testing.TB
}

func dial(t testing.TB, addr string, settings ...http2.Setting) *raw {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Write([]byte(Preface)); err != nil {
		t.Fatal(err)
	}
	r := &raw{c, http2.NewFramer(c, c), t}
	if err := r.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
	return r
}

// take serves a stream, unless there is nothing to be served.
func (l *streams) take(s *Stream) {
	if s.Refused() != nil {
		_ = s.Close()
		return
	}
	select {
	case l.conns <- s:
	case <-l.done:
		_ = s.Close()
	}
}
