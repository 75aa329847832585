//go:build linux

package loop

import (
	"math/rand/v2"
	"net/netip"

	"rgate/internal/config"
	"rgate/internal/proxy"
)

// admission says whether a client connection is taken in.
type admission uint8

const (
	admitted admission = iota
	full               // there are too many connections
	greedy             // there are too many of this client
)

// admit counts a client connection where no limit is reached. The lock is
// taken once per connection, never per request.
func (e *Engine) admit(a netip.Addr, lim *config.Limits) admission {
	e.mu.Lock()
	defer e.mu.Unlock()
	if lim.ConnectionsPerClient > 0 && e.clients[a] >= lim.ConnectionsPerClient {
		return greedy
	}
	if room := proxy.Room(lim.Connections); room > 0 && e.conns >= room {
		return full
	}
	e.conns++
	e.clients[a]++
	return admitted
}

// left takes back what admit counted.
func (e *Engine) left(a netip.Addr) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conns--
	if e.clients[a]--; e.clients[a] <= 0 {
		delete(e.clients, a)
	}
}

// admit takes a client in at the cost of one that asks for nothing, if need be:
// else whoever holds enough idle connections keeps everybody out.
func (l *loop) admit(a netip.Addr) bool {
	for {
		switch l.engine.admit(a, &l.cfg.Limits) {
		case admitted:
			return true
		case greedy:
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
