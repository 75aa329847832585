//go:build linux

package traffic

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers as the test server's /echo does.
func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	_, _ = io.Copy(w, r.Body)
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestALoadIsVerified(t *testing.T) {
	var asked atomic.Int64
	l := Start(serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		echo(w, r)
	}), nil, 1000)
	for asked.Load() < 100 {
		time.Sleep(time.Millisecond)
	}
	results := l.End()
	if len(results) != int(asked.Load()) {
		t.Errorf("%d results of %d requests", len(results), asked.Load())
	}
	kinds := map[Kind]int{}
	for _, r := range results {
		kinds[r.Kind]++
		if r.Err != nil || r.Retried || r.Latency() <= 0 {
			t.Errorf("%+v", r)
		}
	}
	if len(kinds) != len(Kinds) {
		t.Errorf("kinds %v", kinds)
	}
}

func TestWrongAnswersAreSeen(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"status": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) },
		"another request's": func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path += "0"
			echo(w, r)
		},
		"another body": func(w http.ResponseWriter, r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader("x"))
			echo(w, r)
		},
		"broken off": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			echo(w, r)
		},
		"no HTTP": func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = conn.Write([]byte("\x16\x03\x01\r\n\r\n"))
			conn.Close()
		},
		"closed": func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			c := &client{address: serve(t, handler)}
			defer c.close()
			for _, kind := range Kinds {
				if r := c.do(Request{Kind: kind, ID: "abc-1"}); r.Err == nil {
					t.Errorf("%v: no error", kind)
				}
			}
		})
	}
	if r := (&client{address: "127.0.0.1:1"}).do(Request{Kind: Kinds[0]}); r.Err == nil {
		t.Error("nobody listens: no error")
	}
}

// A kept-alive connection that ends without a byte of the answer: the GET is
// sent again, the POST is not.
func TestOnlyAGetIsRepeated(t *testing.T) {
	for _, kind := range Kinds[:2] {
		var asked atomic.Int64
		c := &client{address: serve(t, func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) == 2 {
				panic(http.ErrAbortHandler)
			}
			echo(w, r)
		})}
		if r := c.do(Request{Kind: kind, ID: "a-1"}); r.Err != nil {
			t.Fatal(r.Err)
		}
		r := c.do(Request{Kind: kind, ID: "a-2"})
		if get := kind.Method == "GET"; r.Retried != get || (r.Err == nil) != get {
			t.Errorf("%v: %+v", kind, r)
		}
		c.close()
	}
}

// An idle connection that was closed is not used, so nothing is lost on it.
func TestAnIdleConnectionIsLookedAt(t *testing.T) {
	closed := make(chan struct{}, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	c := &client{address: s.Listener.Addr().String()}
	defer c.close()
	post := Request{Kind: Kinds[1], ID: "a-1"}
	if r := c.do(post); r.Err != nil {
		t.Fatal(r.Err)
	}
	s.CloseClientConnections()
	<-closed
	if r := c.do(post); r.Err != nil || r.Retried {
		t.Errorf("%+v", r)
	}
}
