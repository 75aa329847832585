package standard

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rgate/internal/config"
)

// brief answers requests and closes connections that are idle for so long after
// an answer. It looks once more for what has come before it does, for it may be
// late itself.
func brief(t *testing.T, idle time.Duration, field string, conns *atomic.Int64) string {
	return rawBackend(t, func(_ int, c net.Conn, in *bufio.Reader) {
		conns.Add(1)
		for answers := 0; ; answers++ {
			if answers > 0 {
				_ = c.SetReadDeadline(time.Now().Add(idle))
			}
			_, err := in.Peek(1)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
				_, err = in.Peek(1)
			}
			if err != nil {
				return
			}
			_ = c.SetReadDeadline(time.Time{})
			q, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(q.Body)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", field, len(body), body)
		}
	})
}

// What an endpoint says it keeps is not used to the end.
func TestKeepAliveTimeoutsOfEndpoints(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]int64{
		"": 1, "Keep-Alive: timeout=60\r\n": 1, "Keep-Alive: max=5, timeout=1\r\n": 2, "Keep-Alive: timeout=0\r\n": 2,
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			var conns atomic.Int64
			r := start(t, nil, brief(t, time.Minute, field, &conns))
			p := r.dial()
			for i, method := range []string{"GET", "PUT"} {
				if i > 0 {
					time.Sleep(600 * time.Millisecond) // more than half of a second
				}
				p.say("%s / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", method)
				if res, _ := p.response(method); res.StatusCode != 200 {
					t.Fatal(res.Status)
				}
			}
			if n := conns.Load(); n != want {
				t.Errorf("%d connections, want %d", n, want)
			}
		})
	}
}

// A POST goes on a kept connection only where the endpoint is known not to be
// closing it, so that none is lost to one that closes idle ones without a word.
func TestIdleTimeoutsOfEndpointsCostNoPost(t *testing.T) {
	t.Parallel()
	for _, idle := range []time.Duration{300 * time.Millisecond, 600 * time.Millisecond} {
		t.Run(idle.String(), func(t *testing.T) {
			t.Parallel()
			var conns atomic.Int64
			r := start(t, nil, brief(t, idle, "", &conns))
			p := r.dial()
			_ = p.SetDeadline(time.Now().Add(time.Minute))
			n, end := 0, time.Now().Add(5*time.Second)
			for ; time.Now().Before(end); n++ {
				p.say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi")
				if res, text := p.response("POST"); res.StatusCode != 200 || text != "hi" {
					t.Fatalf("%d: %d %q", n, res.StatusCode, text)
				}
				if rand.IntN(2) == 0 {
					time.Sleep(time.Duration(rand.Int64N(int64(2 * idle))))
				}
			}
			t.Logf("%d requests on %d connections", n, conns.Load())
		})
	}
}

// Endpoints that close idle connections cost no GET, whether they say so or
// not: requests come just when connections close.
func TestIdleTimeoutsOfEndpointsCostNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		idle  time.Duration
		field string
	}{
		"said": {time.Second, "Keep-Alive: timeout=1\r\n"}, "unsaid": {50 * time.Millisecond, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var conns, bad atomic.Int64
			r := start(t, func(cfg *config.Config) { cfg.Backends[0].Traffic.Eject.ConnectFailures = 0 }, brief(t, c.idle, c.field, &conns))
			peers := make([]*peer, 16) // together, so that each has a connection
			for i := range peers {
				peers[i] = r.dial()
			}
			for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
				var all sync.WaitGroup
				for _, p := range peers {
					all.Go(func() {
						fmt.Fprint(p, plainGet)
						if res, err := http.ReadResponse(p.r, nil); err != nil || res.StatusCode != 200 {
							bad.Add(1)
						}
					})
				}
				all.Wait()
				time.Sleep(time.Duration(rand.Int64N(int64(2 * c.idle))))
			}
			if bad.Load() > 0 || conns.Load() < 2 {
				t.Errorf("%d requests were let down; %d connections were made", bad.Load(), conns.Load())
			}
		})
	}
}
