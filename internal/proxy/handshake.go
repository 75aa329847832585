package proxy

import (
	"container/list"
	"net/netip"
	"sync"

	"rgate/internal/config"
)

// Handshakes bounds the TLS handshakes that are under way in a process, in all
// and by peer, whichever engine makes them. Who has no place waits for one, and
// peers get theirs in turn, so that a flood from one address delays that address
// alone. Its lock is taken a few times per handshake. The zero Handshakes is
// empty.
type Handshakes struct {
	mu    sync.Mutex
	limit int // of places; 0 is none
	most  int // of these, for one peer; 0 is no limit
	under int
	peers map[netip.Addr]*greeted // by holder
	turns list.List               // of *greeted: who waits and may have the next place
}

// greeted is the handshakes of one peer.
type greeted struct {
	holder  netip.Addr
	trusted bool // it speaks for many
	under   int
	waiting list.List     // of *Handshake
	turn    *list.Element // nil while it has none
}

// Handshake is one connection's part in the Handshakes. The zero value has none;
// one is not copied.
type Handshake struct {
	peer *greeted
	wake func()        // told of its place
	wait *list.Element // nil once it has one
}

// Begin gives one a place, or has it wait: then wake is called once it has one, by
// whoever leaves it. Wake must not wait, and may be called as End is, or late.
// Either way End follows.
func (h *Handshakes) Begin(one *Handshake, peer netip.Addr, cfg *config.Config, wake func()) (now bool) {
	trusted := within(peer, cfg.TrustedProxies)
	peer = holder(peer)
	h.mu.Lock()
	placed := h.adopt(cfg.Limits.Handshakes)
	p := h.peers[peer]
	if p == nil {
		if h.peers == nil {
			h.peers = map[netip.Addr]*greeted{}
		}
		p = &greeted{holder: peer}
		h.peers[peer] = p
	}
	p.trusted = trusted
	one.peer = p
	if now = h.room() && h.may(p) && p.waiting.Len() == 0; now {
		h.under++
		p.under++
	} else {
		one.wake, one.wait = wake, p.waiting.PushBack(one)
		h.queue(p)
	}
	h.mu.Unlock()
	tell(placed)
	return now
}

// adopt puts a limit in effect.
func (h *Handshakes) adopt(limit int) (placed []func()) {
	if h.limit == limit {
		return nil
	}
	h.limit, h.most = limit, share(limit, limit)
	for _, p := range h.peers {
		h.queue(p)
	}
	return h.place()
}

// place gives out what places there are.
func (h *Handshakes) place() (placed []func()) {
	for h.room() && h.turns.Len() > 0 {
		placed = append(placed, h.next())
	}
	return placed
}

func tell(placed []func()) {
	for _, wake := range placed {
		wake()
	}
}

// End gives back a place, or waits for it no more.
func (h *Handshakes) End(one *Handshake) {
	p := one.peer
	if p == nil {
		return // it never began
	}
	h.mu.Lock()
	if one.wait != nil {
		p.waiting.Remove(one.wait)
	} else {
		h.under--
		p.under--
	}
	h.queue(p)
	placed := h.place()
	if p.under == 0 && p.waiting.Len() == 0 {
		delete(h.peers, p.holder)
	}
	h.mu.Unlock()
	*one = Handshake{}
	tell(placed)
}

// Size is how many handshakes are under way, and how many wait.
func (h *Handshakes) Size() (under, waiting int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.peers {
		waiting += p.waiting.Len()
	}
	return h.under, waiting
}

func (h *Handshakes) room() bool { return h.limit == 0 || h.under < h.limit }

// may tells whether p may have one more.
func (h *Handshakes) may(p *greeted) bool { return h.most == 0 || p.trusted || p.under < h.most }

// queue gives p a turn if it is to have one, and takes it away if not.
func (h *Handshakes) queue(p *greeted) {
	switch wants := p.waiting.Len() > 0 && h.may(p); {
	case wants && p.turn == nil:
		p.turn = h.turns.PushBack(p)
	case !wants && p.turn != nil:
		h.turns.Remove(p.turn)
		p.turn = nil
	}
}

// next gives a place to whose turn it is, who goes behind the others then, and
// returns how to tell it.
func (h *Handshakes) next() (wake func()) {
	p := h.turns.Remove(h.turns.Front()).(*greeted)
	p.turn = nil
	one := p.waiting.Remove(p.waiting.Front()).(*Handshake)
	one.wait = nil
	h.under++
	p.under++
	h.queue(p)
	return one.wake
}
