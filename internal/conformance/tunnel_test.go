//go:build linux

package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"rgate/internal/rig"
)

const (
	upgrading = get + host + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
	switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
)

// tunnelled makes a WebSocket whose endpoint's side f plays.
func tunnelled(t *testing.T, kind string, f func(c *net.TCPConn, in *bufio.Reader)) (rig.Conn, *bufio.Reader) {
	t.Helper()
	addr := accept(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		if _, err := http.ReadRequest(in); err != nil {
			return
		}
		_, _ = io.WriteString(c, switching)
		f(c.(*net.TCPConn), in)
	})
	c, in := dial(t, start(t, kind, addr))
	if _, err := io.WriteString(c, upgrading); err != nil {
		t.Fatal(err)
	}
	if res := answerOf(t, in); res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(res.Status)
	}
	return c, in
}

// TestTunnelEndsOneWayAtATime: each side may have something to say after the
// other has ended.
func TestTunnelEndsOneWayAtATime(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind+" the endpoint first", func(t *testing.T) {
			heard := make(chan string, 1)
			c, in := tunnelled(t, kind, func(c *net.TCPConn, in *bufio.Reader) {
				_, _ = io.WriteString(c, "bye")
				_ = c.CloseWrite()
				b, _ := io.ReadAll(in)
				heard <- string(b)
			})
			if b, err := io.ReadAll(in); err != nil || string(b) != "bye" {
				t.Fatalf("got %q, %v", b, err)
			}
			_, _ = io.WriteString(c, "last words")
			_ = c.CloseWrite()
			if got := <-heard; got != "last words" {
				t.Errorf("the endpoint got %q", got)
			}
		})
		t.Run(kind+" the client first", func(t *testing.T) {
			c, in := tunnelled(t, kind, func(c *net.TCPConn, in *bufio.Reader) {
				b, _ := io.ReadAll(in)
				_, _ = fmt.Fprintf(c, "heard %s", b)
			})
			_, _ = io.WriteString(c, "bye")
			_ = c.CloseWrite()
			if b, err := io.ReadAll(in); err != nil || string(b) != "heard bye" {
				t.Errorf("got %q, %v", b, err)
			}
		})
	}
}

// TestTunnelOfAnEndpointThatEnds: what it said before arrives, though the client,
// which does not know yet, goes on sending.
func TestTunnelOfAnEndpointThatEnds(t *testing.T) {
	const size = 4 << 20
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			c, in := tunnelled(t, kind, func(c *net.TCPConn, in *bufio.Reader) {
				_, _ = io.WriteString(c, strings.Repeat("x", size))
				_ = c.CloseWrite()
				_, _ = io.Copy(io.Discard, in)
			})
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					default:
						_, _ = io.WriteString(c, "ping")
					}
				}
			}()
			n, err := 0, error(nil)
			for b := make([]byte, 16<<10); err == nil; {
				var m int
				m, err = in.Read(b)
				n += m
			}
			close(stop)
			<-stopped
			if n != size || err != io.EOF {
				t.Errorf("got %d bytes of %d, %v", n, size, err)
			}
			_ = c.CloseWrite()
		})
	}
}

// TestTunnelOfAClientThatStays: one that does not take the endpoint's end for its
// own, and says nothing more, holds neither for ever.
func TestTunnelOfAClientThatStays(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			t.Parallel() // it waits for a while
			ended := make(chan error, 1)
			_, in := tunnelled(t, kind, func(c *net.TCPConn, in *bufio.Reader) {
				_ = c.CloseWrite()
				_, err := in.ReadByte()
				ended <- err
			})
			if _, err := in.ReadByte(); err != io.EOF {
				t.Fatal(err)
			}
			if err := <-ended; err == nil {
				t.Error("the endpoint heard something")
			}
		})
	}
}
