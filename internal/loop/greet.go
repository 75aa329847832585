//go:build linux

package loop

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/proxy"
	"rgate/internal/wire"
)

// greeting is a TLS handshake under way, or that waits for its place among those of
// the process.
type greeting struct {
	*stepper // nil while it waits
	place    proxy.Handshake
	waits    bool
	err      error // once it is done
}

// handshakeTime is how long a turn of the loop is spent on handshakes, at the end of
// it; what has begun then goes on to where it waits. However many come, others have
// their turns in between.
const handshakeTime = time.Millisecond

// expect has c, of which nothing was read, begin with a handshake.
func (l *loop) expect(c *conn, how *listen.TLS) {
	c.tls, c.phase = &secure{tls: how, loop: l, client: c}, phaseGreet
}

// ungreeted tells whether c is to begin a handshake, and has not.
func (c *conn) ungreeted() bool { return c.phase == phaseGreet && c.tls.hello == nil }

// stir takes in an event for c, which has TLS. It is true where nothing more is to
// be done about it now.
func (l *loop) stir(c *conn) (done bool) {
	if c.tls.flush(); c.phase != phaseGreet {
		return false
	}
	if !c.queued {
		c.queued = true
		l.greets = append(l.greets, c)
	}
	return true
}

// greetSome goes on with handshakes, until their time in this turn is over.
func (l *loop) greetSome() {
	if len(l.greets) == 0 {
		return
	}
	n := 0
	for began := time.Now(); n < len(l.greets) && (n == 0 || time.Since(began) < handshakeTime); n++ {
		c := l.greets[n]
		c.queued = false
		l.turn.handled++
		l.drive(c)
	}
	l.greets = slices.Delete(l.greets, 0, n)
}

// greet goes on with c's handshake. It begins once the client has said something.
func (l *loop) greet(c *conn) step {
	s := c.tls
	if !c.readable {
		return stall
	}
	if s.hello == nil {
		l.queueUp(c)
	}
	h := s.hello
	if h.waits {
		return stall
	}
	if h.stepper == nil {
		h.stepper, s.conn = l.getStepper(), tls.Server(s, s.tls.Config())
		h.work = func() { h.err = s.conn.Handshake() }
	}
	if !h.step() {
		return stall
	}
	l.putStepper(h.stepper)
	l.unplace(s)
	if h.err != nil {
		return l.estranged(c, h.err)
	}
	return l.greeted(c)
}

// queueUp takes a place for c's handshake, or has it wait for one.
func (l *loop) queueUp(c *conn) {
	h := &greeting{}
	c.tls.hello, c.since = h, l.wheel.now
	h.waits = !l.engine.gate.Handshakes().Begin(&h.place, c.addr, l.cfg, func() {
		l.post(func() { l.placed(c, h) })
	})
}

// placed goes on with h, which has its place, if c still wants it.
func (l *loop) placed(c *conn, h *greeting) {
	if c.tls.hello == h {
		h.waits = false
		l.stir(c)
	}
}

// unplace leaves the place of the handshake of s, which is over, to another.
func (l *loop) unplace(s *secure) {
	l.engine.gate.Handshakes().End(&s.hello.place)
	s.hello = nil
}

// greeted goes on with c, whose handshake is done.
func (l *loop) greeted(c *conn) step {
	s := c.tls
	s.known, s.waiting = listen.NewSecured(s.tls, s.conn), true
	hand.slim(s.conn, 0)
	rawInput.slim(s.conn, 0)
	state := s.conn.ConnectionState()
	if state.Version == tls.VersionTLS13 {
		// Nothing of ours carries the acknowledgement of the client's Finished, as its
		// tickets are sent already, and many a client waits for that with its request.
		_ = unix.SetsockoptInt(int(c.fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}
	c.phase = phaseHead
	switch name := state.NegotiatedProtocol; {
	case name == "h2", !c.by.Config().Protocols.Has(config.H1) && name == "":
		l.handOver(c)
		return over
	case name == "", name == "http/1.1":
	default:
		l.depart(c) // the handshake was all there is to it (RFC 8737 §3)
		return over
	}
	l.wheel.set(&c.timer, l.now, l.patience(c))
	return again
}

// estranged ends c, whose handshake has failed. Who speaks HTTP in the clear is
// told so.
func (l *loop) estranged(c *conn, err error) step {
	if log := l.engine.log; log.Enabled(context.Background(), slog.LevelDebug) {
		log.Debug("a TLS handshake failed", "client", c.addr.String(), "error", err)
	}
	switch plain := (tls.RecordHeaderError{}); {
	case errors.As(err, &plain) && plain.Conn != nil:
		c.tls, c.phase = nil, phaseHead
		c.work = l.getWork()
		l.mem.Need(&c.work.in)
		l.refuse(c, wire.AnswerPlain)
		return again
	case c.readable:
		l.endSending(c) // or what it still sends would destroy the alert
		return again
	}
	l.close(c)
	return over
}

// dismiss ends c's handshake, which is under way.
func (l *loop) dismiss(c *conn) {
	if h := c.tls.hello; h.stepper != nil {
		for c.tls.over = failed; !h.step(); {
		}
		l.putStepper(h.stepper)
	}
	l.unplace(c.tls)
}
