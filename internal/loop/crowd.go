//go:build linux

package loop

import (
	"math/rand/v2"
	"net/netip"

	"rgate/internal/proxy"
)

// admit takes a client in at the cost of one that asks for nothing, if need be:
// else whoever holds enough idle connections keeps everybody out.
func (l *loop) admit(a netip.Addr) bool {
	for {
		switch l.engine.crowd.Enter(a, &l.cfg.Limits) {
		case proxy.Admitted:
			return true
		case proxy.Greedy:
			return false
		}
		c := l.quietest()
		if c == nil {
			return false
		}
		l.close(c)
	}
}

// The search for a quiet client compares this many, and looks at so many
// descriptors for them: most may be another loop's, or busy.
const (
	compared = 16
	looks    = 1024
)

// quietest is, of some clients that ask for nothing, the one that would be
// closed first anyway; nil where none was found.
func (l *loop) quietest() (quietest *conn) {
	found := 0
	for i := 0; i < looks && found < compared; i++ {
		at := i // few descriptors are looked at one and all
		if len(l.socks) > looks {
			at = rand.IntN(len(l.socks))
		} else if i >= len(l.socks) {
			break
		}
		c := l.socks[at].client
		if c == nil || c.phase != phaseHead || c.work != nil || c.queued || !c.counted || c.timer.at == 0 {
			continue
		}
		found++
		if (quietest == nil || c.timer.at < quietest.timer.at) && c.alive() {
			quietest = c
		}
	}
	return quietest
}
