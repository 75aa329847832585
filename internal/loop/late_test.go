//go:build linux

package loop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

const (
	short = 200 * time.Millisecond
	// ample is a limit that what is sent at once keeps on a busy machine, too.
	ample = 2 * time.Second
)

// settled waits until no exchange is under way.
func (g *gate) settled() {
	g.t.Helper()
	ends.Until(g.t, "all exchanges have ended", func() bool { return g.table.Total().InFlight == 0 })
}

func TestClientThatNeverReadsIsCut(t *testing.T) {
	cut := make(chan error, 1)
	g := start(t, func(c *config.Config, _ *Options) { c.Timeouts.Idle = short }, raw(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
		block := make([]byte, 1<<20)
		var err error
		for err == nil {
			_, err = c.Write(block)
		}
		cut <- err
	}))
	c := g.dial()
	_, _ = io.WriteString(c, plainGet)
	if err := <-cut; err.(net.Error).Timeout() {
		t.Error("the endpoint was kept waiting")
	}
	g.settled()
	if _, err := io.Copy(io.Discard, c); err == nil {
		t.Error("the client does not see that the answer is not whole")
	}
}

// TestSlowReaderIsNotCut has a client take its answer in small pieces, for
// longer than it may take nothing.
func TestSlowReaderIsNotCut(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) { c.Timeouts.Idle = ample }, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 12 {
			_, _ = io.WriteString(w, "part")
			w.(http.Flusher).Flush()
			time.Sleep(ample / 8)
		}
	}))
	res := get(t, g.dial(), plainGet)
	if b, err := io.ReadAll(res.Body); err != nil || len(b) != 48 {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestEndpointThatStopsTakingAnUpload(t *testing.T) {
	for name, f := range map[string]struct{ answer, want string }{
		"before its answer": {"", "HTTP/1.1 504 "},
		"after its head":    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "HTTP/1.1 200 "},
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			free := sync.OnceFunc(func() { close(release) })
			defer free()
			g := start(t, func(c *config.Config, _ *Options) {
				c.Timeouts.ResponseHeader, c.Backends[0].Traffic.Retries = ample, 0
			}, raw(t, func(c net.Conn, r *bufio.Reader) {
				readHead(r)
				_, _ = io.WriteString(c, f.answer)
				<-release
				if f.answer != "" {
					_, _ = io.WriteString(c, "llo")
				}
			}))
			c := g.dial()
			_, _ = io.WriteString(c, hugePost)
			go func() { _, _ = io.Copy(c, bytes.NewReader(make([]byte, 64<<20))) }()
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, f.want) {
				t.Errorf("got %q, %v", line, err)
			}
			time.AfterFunc(ample+short, free)
			g.settled()
		})
	}
}

func TestClientThatIsResetWhileTheEndpointStalls(t *testing.T) {
	full := make(chan struct{})
	g := start(t, nil, raw(t, func(_ net.Conn, r *bufio.Reader) {
		readHead(r)
		<-full
	}))
	defer close(full)
	c := g.dial()
	_, _ = io.WriteString(c, hugePost)
	fill(c)
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
	g.settled()
}

// TestClientThatGivesUpWhileNobodyReads has a client end its side in the middle
// of its body while its request waits for a place.
func TestClientThatGivesUpWhileNobodyReads(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	g := start(t, func(c *config.Config, _ *Options) { c.Backends[0].Traffic.MaxInFlight = 1 }, raw(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		close(arrived)
		<-release
		_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
	}))
	_, _ = io.WriteString(g.dial(), plainGet)
	<-arrived
	c := g.dial()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
	_ = c.(*net.TCPConn).CloseWrite()
	if b, _ := io.ReadAll(c); len(b) > 0 {
		t.Errorf("got %q", b)
	}
	close(release)
	g.settled()
}

func TestClientThatStopsSendingBehindTheHeadOfItsAnswer(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) { c.Limits.BodyProgress.Within = ample }, raw(t, func(c net.Conn, r *bufio.Reader) {
		readHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
		_, _ = io.Copy(io.Discard, r)
	}))
	c := g.dial()
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
	if b, err := io.ReadAll(c); err == nil {
		t.Errorf("got %q", b)
	}
	g.settled()
}

func TestBodySentWithoutWaitingForContinue(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) {
		c.Timeouts.ResponseHeader, c.Limits.BodyProgress.Within = time.Hour, short
	}, raw(t, func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) }))
	got := g.exchange("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\nabc")
	if !strings.HasPrefix(got, "HTTP/1.1 408 ") {
		t.Errorf("got %q", got)
	}
}

func TestEndpointsKeepAliveIsHonoured(t *testing.T) {
	for field, want := range map[string]struct {
		kept bool
		due  time.Duration
	}{
		"X: y":                           {true, idleAtMost},
		"Keep-Alive: timeout=0":          {},
		"Keep-Alive: timeout=1":          {},
		"Keep-Alive: timeout=5, max=100": {true, 4 * time.Second},
		"Keep-Alive: timeout=3600":       {true, idleAtMost},
	} {
		t.Run(field, func(t *testing.T) {
			answer := fmt.Sprintf("HTTP/1.1 200 OK\r\n%s\r\nContent-Length: 2\r\n\r\nok", field)
			g := start(t, nil, script(t, answer, ""))
			if res := get(t, g.dial(), plainGet); res.Header.Get("Keep-Alive") != "" {
				t.Error("a field of the other connection came through")
			}
			got := make(chan []time.Duration)
			l := g.engine.loops[0]
			l.post(func() {
				var due []time.Duration
				for _, p := range l.pools {
					for _, o := range p.idle {
						due = append(due, time.Duration(int64(o.timer.at)-l.wheel.now)*tick)
					}
				}
				got <- due
			})
			due := <-got
			if kept := len(due) == 1; kept != want.kept {
				t.Fatalf("%d connections are kept", len(due))
			}
			if want.kept && (due[0] > want.due+2*tick || due[0] < want.due-3*time.Second) {
				t.Errorf("kept for %v, want %v", due[0], want.due)
			}
		})
	}
}

func TestBrokenOffAnswersCountAsTruncated(t *testing.T) {
	for _, head := range []string{"Content-Length: 9", "Transfer-Encoding: chunked"} {
		g := start(t, nil, script(t, "HTTP/1.1 200 OK\r\n"+head+"\r\n\r\n3\r\nabc"))
		g.exchange(plainGet)
		g.settled()
		if s, e := g.table.Total(), g.table.Endpoints()[0].Stats.Snapshot(); s.Truncated != 1 || e.Truncated != 1 {
			t.Errorf("%s: %d truncated, %d of the endpoint", head, s.Truncated, e.Truncated)
		}
	}
}
