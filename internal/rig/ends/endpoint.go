package ends

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", Address())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// HTTP is the address of a server, which ends with the test.
func HTTP(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := &httptest.Server{Listener: listen(t), Config: &http.Server{Handler: h}}
	s.Start()
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.Listener.Addr().String()
}

// Talk is an address at which talk carries each connection, which is closed
// after that, and with the test.
func Talk(t testing.TB, talk func(c net.Conn, in *bufio.Reader)) string {
	t.Helper()
	l := listen(t)
	var open sync.Map
	var all sync.WaitGroup
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(c, true)
			all.Go(func() {
				defer c.Close()
				defer open.Delete(c)
				talk(c, bufio.NewReader(c))
			})
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-accepted
		open.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true })
		all.Wait()
	})
	return l.Addr().String()
}

// ReadHead reads a message head as it is, up to its empty line. It is "" where
// the connection ends before.
func ReadHead(in *bufio.Reader) string {
	var head strings.Builder
	for {
		line, err := in.ReadString('\n')
		head.WriteString(line)
		switch {
		case err != nil:
			return ""
		case line == "\r\n":
			return head.String()
		}
	}
}
