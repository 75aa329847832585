//go:build linux

package loop

import (
	"io"
	"net"
	"testing"

	"rgate/internal/config"
)

// Who takes a connection over is told that a request is there already: nothing
// else tells it from one that says nothing.
func TestAHandedConnectionSaysThatItsRequestIsAhead(t *testing.T) {
	told := make(chan bool, 2)
	g := start(t, func(_ *config.Config, o *Options) {
		o.HandOver = func(c net.Conn) {
			defer c.Close()
			h, ok := c.(interface{ Ahead() bool })
			told <- ok && h.Ahead()
			_, _ = c.Read(make([]byte, 1<<10))
			told <- ok && !h.Ahead()
		}
	}, serve(t, hello))
	c := g.dial()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if !<-told {
		t.Error("it does not say so")
	}
	if !<-told {
		t.Error("it still says so once that was read")
	}
}
