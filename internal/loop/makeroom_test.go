//go:build linux

package loop

import (
	"io"
	"net"
	"testing"

	"rgate/internal/config"
)

// dialFrom is a connection of a peer with the nth loopback address.
func (g *gate) dialFrom(n byte) net.Conn {
	g.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, n)}}
	c, err := d.Dial("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = c.Close() })
	return c
}

// WebSockets that were refused, and are idle with the other engine, make room
// before clients of the loop's own, unless those hold much of it.
func TestWhoWasHandedOverMakesRoomFirst(t *testing.T) {
	const room, share = 80, 20 // of one peer
	for name, c := range map[string]struct {
		room, idle int
		heavy      bool
	}{"light": {2, 1, false}, "heavy": {room, room - 1, true}} {
		t.Run(name, func(t *testing.T) {
			handed, asked := make(chan net.Conn, 1), make(chan int, 1)
			g := start(t, func(cfg *config.Config, o *Options) {
				cfg.Limits.Connections = c.room
				o.HandOver = func(c net.Conn) { handed <- c }
				o.MakeRoom = func(weight int) bool {
					asked <- weight
					if weight > 0 {
						return false
					}
					_ = (<-handed).Close()
					return true
				}
			}, serve(t, hello))
			var idle []net.Conn
			for n := range c.idle {
				conn := g.dialFrom(byte(2 + n/share))
				get(t, conn, plainGet)
				idle = append(idle, conn)
			}
			refused := g.dialFrom(100)
			_, _ = io.WriteString(refused, upgradingGet)
			if c.heavy {
				defer (<-handed).Close()
			} else {
				handed <- <-handed // it is there
			}
			if res := get(t, g.dialFrom(101), plainGet); res.StatusCode != 200 {
				t.Errorf("nobody made room: %d", res.StatusCode)
			}
			select {
			case weight := <-asked:
				if weight > 0 != c.heavy {
					t.Errorf("it was asked for a weight of %d", weight)
				}
			default:
				t.Fatal("nobody was asked")
			}
			if c.heavy {
				return
			}
			if res := get(t, idle[0], plainGet); res.StatusCode != 200 {
				t.Errorf("the idle one was answered with %d", res.StatusCode)
			}
		})
	}
}
