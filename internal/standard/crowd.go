package standard

import (
	"net/netip"
	"sync"
	"time"

	"rgate/internal/config"
	"rgate/internal/proxy"
)

// crowd is the client connections.
type crowd struct {
	count proxy.Crowd

	mu     sync.Mutex
	conns  map[*client]struct{}
	closed bool
}

// admit takes c in at the cost of one that does not get on, if need be: else
// whoever holds enough such connections keeps everybody out.
func (w *crowd) admit(c *client, cfg *config.Config) bool {
	for {
		a, out := w.enter(c, cfg)
		if a != proxy.Full || out == nil {
			return a == proxy.Admitted
		}
		_ = out.Close()
	}
}

// MakeRoom closes a client that does not get on and whose peer weighs no less
// than that, for whoever counts the clients that it handed over; false where
// there is none. What it closes has left the count of both.
func (e *Engine) MakeRoom(weight int) bool {
	out := e.crowd.putOut(e.gate.Table().Config, weight)
	if out == nil {
		return false
	}
	_ = out.Close()
	return true
}

func (w *crowd) putOut(cfg *config.Config, weight int) *client {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.dispensable(cfg)
	if out == nil || w.count.Weight(out.addr, cfg) < weight {
		return nil
	}
	w.forget(out)
	return out
}

// enter takes c in. Where the crowd is full, it puts one out that does not get
// on.
func (w *crowd) enter(c *client, cfg *config.Config) (a proxy.Admission, out *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return proxy.Greedy, nil
	}
	switch a = w.count.Enter(c.addr, cfg); a {
	case proxy.Full:
		if out = w.dispensable(cfg); out != nil {
			w.forget(out)
		}
	case proxy.Admitted:
		c.counted = true
		w.add(c)
	}
	return a, out
}

// reveal says whose c is, which was taken in as nobody's; false where there are too
// many of that one, or c was put out meanwhile.
func (w *crowd) reveal(c *client, addr netip.Addr, cfg *config.Config) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.conns[c]; !known {
		c.addr = addr
		return false
	}
	c.addr, c.counted = addr, w.count.Reveal(addr, cfg)
	return c.counted
}

// keep notes a connection above the limits, which is not counted but may have to
// be closed.
func (w *crowd) keep(c *client) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.add(c)
	return true
}

func (w *crowd) add(c *client) {
	if w.conns == nil {
		w.conns = map[*client]struct{}{}
	}
	w.conns[c] = struct{}{}
}

// A search for a client compares this many, and looks at so many: most may be
// busy.
const (
	compared = 16
	looks    = 1024
)

// dispensable is, of some clients that do not get on, the one that would be
// closed first anyway. Those of whoever holds most of the room come before all
// others, and what is there to be read may be what was waited for: such a client
// goes only where all are so. It is nil where none was found.
func (w *crowd) dispensable(cfg *config.Config) *client {
	var first, spare debtor
	now, looked, found := time.Now(), 0, 0
	for c := range w.conns { // begins anywhere
		if looked++; looked > looks || found == compared {
			break
		}
		if !c.counted || c.paid() {
			continue
		}
		weight := w.count.Weight(c.addr, cfg)
		d := debtor{c, c.due(now, cfg, weight > 0), weight}
		switch {
		case d.due.IsZero():
		case !d.before(first) && !d.before(spare):
			found++
		case c.debt.ofRequest() && !c.silent():
			if d.before(spare) {
				spare = d
			}
		default:
			found++
			if d.before(first) {
				first = d
			}
		}
	}
	if first.client == nil {
		return spare.client
	}
	return first.client
}

// debtor is a client that owes something, until when it may, and the weight of
// what its peer holds of the room.
type debtor struct {
	*client
	due    time.Time
	weight int
}

func (d debtor) before(other debtor) bool {
	return other.client == nil || d.weight > other.weight || d.weight == other.weight && d.due.Before(other.due)
}

func (w *crowd) leave(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(c)
}

func (w *crowd) forget(c *client) {
	if _, known := w.conns[c]; !known {
		return // it was put out before
	}
	delete(w.conns, c)
	if c.counted {
		w.count.Leave(c.addr)
	}
}

// all are the connections of the moment. With last, no other follows.
func (w *crowd) all(last bool) []*client {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = w.closed || last
	all := make([]*client, 0, len(w.conns))
	for c := range w.conns {
		all = append(all, c)
	}
	return all
}

// paid tells whether c gets on, as far as that can be said in no time.
func (c *client) paid() bool { return c.debt.paid() && c.session.Load() == nil }

// due is until when c may go on as it does; zero where it gets on.
func (c *client) due(now time.Time, cfg *config.Config, heavy bool) time.Time {
	if s := c.session.Load(); s != nil {
		return s.due(now, cfg, heavy)
	}
	return c.debt.due(now, cfg, heavy)
}

// silent tells whether nothing of c is there to be read.
func (c *client) silent() bool {
	silent, _ := c.sight.look()
	return silent
}
