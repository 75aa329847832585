//go:build linux

package conformance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// TestEarlyAnswerBeforeTheEndpointCloses: 9110 9.3.3. An endpoint that has read
// enough answers, and closes with the rest unread, which resets the connection:
// its answer is there to be read all the same.
func TestEarlyAnswerBeforeTheEndpointCloses(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			endpoint := play(t, func(c net.Conn, _ *http.Request) {
				_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!")
			})
			addr := start(t, kind, endpoint)
			for i := range 40 {
				c, in := dial(t, addr)
				length, body := 1<<20, strings.Repeat("a", 64<<10)
				head := fmt.Sprintf("Content-Length: %d\r\n\r\n", length)
				if i%2 == 1 {
					head, body = chunked+"\r\n", "10000\r\n"+body+"\r\n"
				}
				go func() {
					_, _ = io.WriteString(c, post+head)
					for range 16 {
						if _, err := io.WriteString(c, body); err != nil {
							return
						}
					}
				}()
				res := answerOf(t, in)
				if b, err := io.ReadAll(res.Body); res.StatusCode != 413 || string(b) != "no!" {
					t.Fatalf("try %d: %d %q, %v", i, res.StatusCode, b, err)
				}
				_ = c.Close()
			}
		})
	}
}

// TestEndlessInterimAnswers: 9110 15.2 bounds them nowhere; rgate does.
func TestEndlessInterimAnswers(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			endpoint := play(t, func(c net.Conn, _ *http.Request) {
				for {
					if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"); err != nil {
						return
					}
				}
			})
			all := statuses(exchange(t, start(t, kind, endpoint), post+"Content-Length: 1\r\n"+end+"a"), "")
			if n := len(all); n < 2 || n > 101 || all[n-1] != 502 {
				t.Errorf("got %d answers, the last %v", n, all[max(n-1, 0):])
			}
		})
	}
}

// TestInterimAnswersSayNothingOfTheConnection: 9110 7.6.1.
func TestInterimAnswersSayNothingOfTheConnection(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			endpoint, _ := heads(t, "HTTP/1.1 103 Early Hints\r\nConnection: keep-alive, X-Drop\r\nKeep-Alive: timeout=5\r\nX-Drop: 1\r\nLink: </a>\r\n\r\n"+okAnswer)
			got := exchange(t, start(t, kind, endpoint), get+host+end)
			interim, _, _ := strings.Cut(got, "\r\n\r\n")
			if interim != "HTTP/1.1 103 Early Hints\r\nLink: </a>" {
				t.Errorf("got %q", interim)
			}
		})
	}
}

// TestSlowUploadIsToldSo: 9110 15.5.9.
func TestSlowUploadIsToldSo(t *testing.T) {
	for _, kind := range rig.Ways {
		for name, raw := range map[string]string{
			"length":     post + "Content-Length: 100\r\n\r\nabc",
			"large":      post + "Content-Length: 1000000\r\n\r\n",
			"chunks":     post + chunked + "\r\n3\r\nabc\r\n",
			"in a size":  post + chunked + "\r\n3\r\nabc\r\n1",
			"of a head":  get + "Ho",
			"in trailer": post + chunked + "\r\n0\r\nX-T",
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				r := rig.Start(t, kind, func(c *config.Config) {
					c.Limits.BodyProgress = config.BodyProgress{Bytes: 10, Within: 200 * time.Millisecond}
					c.Timeouts.ClientHeader = 200 * time.Millisecond
				}, play(t, func(c net.Conn, req *http.Request) { _, _ = io.Copy(io.Discard, req.Body) }))
				if got := fmt.Sprint(statuses(exchange(t, r.Addr, raw), "")); got != "[408]" {
					t.Errorf("got %s", got)
				}
				ends.Until(t, "it is counted", func() bool { return r.Gate.Table().Total().Error() == 1 })
			})
		}
	}
}

// TestOneConnectionTooMany is an answer like others, and counted.
func TestOneConnectionTooMany(t *testing.T) {
	for _, kind := range rig.Engines {
		t.Run(kind, func(t *testing.T) {
			r := rig.Start(t, kind, func(c *config.Config) { c.Limits.ConnectionsPerClient = 1 }, record(t, "").addr)
			c, in := dial(t, r.Addr)
			if _, err := io.WriteString(c, get+host+"\r\n"); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, answerOf(t, in).Body)
			_, in = dial(t, r.Addr)
			res := answerOf(t, in)
			if h := res.Header; res.StatusCode != 503 || h.Get("X-Rgate-Reason") != "overloaded" || h.Get("Retry-After") != "1" ||
				len(h.Get("X-Request-Id")) != 36 || h.Get("Date") == "" || !res.Close {
				t.Errorf("got %d %v", res.StatusCode, h)
			}
			ends.Until(t, "it is counted", func() bool { return r.Gate.Table().Total().Error() == 1 })
		})
	}
}
