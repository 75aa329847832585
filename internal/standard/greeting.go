package standard

import (
	"errors"
	"net"
	"runtime"
	"time"

	"rgate/internal/proxy"
)

// greeting is a TLS handshake under way. From its first byte on it has a place
// among those of the process, and it computes beside few others: the scheduler
// knows no difference between a thousand handshakes that are ready to go on and
// one connection that waits behind them with a request.
type greeting struct {
	engine    *Engine
	place     proxy.Handshake
	begun     bool
	computing bool
}

// placePatience is how long a client waits for its handshake's place: later it
// would mostly be for nothing.
const placePatience = 3 * time.Second

var errNoPlace = errors.New("too many handshakes are under way (limits.handshakes)")

// newDesks are the places of those that compute, which leave the established half
// of the processors.
func newDesks() chan struct{} { return make(chan struct{}, max(runtime.GOMAXPROCS(0)/2, 1)) }

// read reads what the peer says. Who has begun a handshake is quiet no more.
func (g *greeting) read(s *steady, b []byte) (int, error) {
	g.rest()
	n, err := s.Conn.Read(b)
	if n == 0 {
		return n, err
	}
	if !g.begun {
		g.begun = true
		s.client.stir()
		if err := g.begin(s.client); err != nil {
			return 0, err
		}
	}
	if err := g.compute(); err != nil {
		return 0, err
	}
	return n, err
}

// begin waits for a place.
func (g *greeting) begin(c *client) error {
	turn := make(chan struct{})
	if g.engine.gate.Handshakes().Begin(&g.place, c.addr, c.config(), func() { close(turn) }) {
		return nil
	}
	timer := time.NewTimer(placePatience)
	defer timer.Stop()
	select {
	case <-turn:
		return nil
	case <-timer.C:
		return errNoPlace
	case <-g.engine.ctx.Done():
		return net.ErrClosed
	}
}

// compute waits until g may, which is soon: nobody who may waits for anything.
func (g *greeting) compute() error {
	select {
	case g.engine.desks <- struct{}{}:
		g.computing = true
		return nil
	case <-g.engine.ctx.Done():
		return net.ErrClosed
	}
}

// rest lets another compute.
func (g *greeting) rest() {
	if g.computing {
		g.computing = false
		<-g.engine.desks
	}
}

// end leaves the place to another.
func (g *greeting) end() {
	g.rest()
	g.engine.gate.Handshakes().End(&g.place)
}
