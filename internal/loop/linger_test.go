//go:build linux

package loop

import (
	"testing"

	"rgate/internal/config"
)

// Nobody is listened to for longer than all others once there are too many.
func TestTheLongestListenedToGoesFirst(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) { c.Limits.Connections = 200 }, serve(t, hello))
	most := 0
	g.engine.within(func(l *loop) { most = l.share(lingerMost, lingerPart) })
	if most != 200/lingerPart {
		t.Fatalf("%d may be listened to", most)
	}
	for range most + 20 {
		c := g.dial()
		if res := get(t, c, closingGet); res.StatusCode != 200 {
			t.Fatal(res.StatusCode)
		}
	}
	g.engine.within(func(l *loop) {
		n := 0
		for _, s := range l.socks {
			if s.client != nil && s.client.phase == phaseLinger {
				n++
			}
		}
		if n != l.lingering || n > most {
			t.Errorf("%d are listened to and %d counted, of %d at most", n, l.lingering, most)
		}
	})
}
