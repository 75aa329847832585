//go:build linux

package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// Whoever asks for nothing makes room for who does; who is being answered, and
// who has asked before, stays.
func TestIdleClientsMakeRoom(t *testing.T) {
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			held, release := make(chan struct{}, 2), make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/hold" {
					held <- struct{}{}
					<-release
				}
			}))
			t.Cleanup(s.Close)
			g := rig.Start(t, engine, func(c *config.Config) {
				c.Limits.Connections, c.Timeouts.Connect = 2, 20*time.Second
			}, s.Listener.Addr().String())
			known := dialClient(t, g.Addr)
			known.ask("/")
			known.want(http.StatusOK)
			silent := dialClient(t, g.Addr)
			third := dialClient(t, g.Addr) // who speaks at once cannot be taken for silent
			third.ask("/hold")
			silent.gone()
			<-held
			known.ask("/hold")
			<-held
			late := dialClient(t, g.Addr)
			late.ask("/")
			late.want(http.StatusServiceUnavailable) // nobody is idle
			close(release)
			known.want(http.StatusOK)
			third.want(http.StatusOK)
		})
	}
}

type client struct {
	rig.Conn
	t  *testing.T
	in *bufio.Reader
}

func dialClient(t *testing.T, addr string) *client {
	t.Helper()
	c, err := rig.Dial(&net.Dialer{}, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	return &client{c, t, bufio.NewReader(c)}
}

func (c *client) ask(path string) { fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path) }

func (c *client) want(status int) {
	c.t.Helper()
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, _ = io.Copy(io.Discard, r.Body); r.StatusCode != status {
		c.t.Fatalf("status %d, want %d", r.StatusCode, status)
	}
}

func (c *client) gone() {
	c.t.Helper()
	if _, err := c.in.ReadByte(); err == nil {
		c.t.Fatal("something was answered")
	} else if e, ok := err.(net.Error); ok && e.Timeout() {
		c.t.Fatal("the connection is kept")
	}
}
