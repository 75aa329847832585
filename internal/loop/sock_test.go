//go:build linux

package loop

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A peer that vanishes without a word is noticed on connections of both kinds,
// and those that are accepted cost no system call for it.
func TestConnectionsAreKeptAlive(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	c := g.dial()
	if res := get(t, c, plainGet); res.StatusCode != 200 {
		t.Fatal(res.StatusCode)
	}
	clients, origins := 0, 0
	g.engine.within(func(l *loop) {
		for fd, s := range l.socks {
			switch {
			case s.client != nil:
				clients++
			case s.origin != nil:
				origins++
			default:
				continue
			}
			for option, want := range map[[2]int]int{
				{unix.SOL_SOCKET, unix.SO_KEEPALIVE}:   1,
				{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}:  aliveAfter,
				{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}: aliveEvery,
				{unix.IPPROTO_TCP, unix.TCP_KEEPCNT}:   aliveTries,
				{unix.IPPROTO_TCP, unix.TCP_NODELAY}:   1,
			} {
				if got, err := unix.GetsockoptInt(fd, option[0], option[1]); err != nil || got != want {
					t.Errorf("option %v is %d, want %d (%v)", option, got, want, err)
				}
			}
		}
	})
	if clients != 1 || origins != 1 {
		t.Errorf("%d clients and %d upstream connections were looked at", clients, origins)
	}
}
