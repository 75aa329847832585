//go:build linux

package loop

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/buffer"
	"rgate/internal/config"
	"rgate/internal/h1"
	"rgate/internal/listen"
	"rgate/internal/proxy"
	"rgate/internal/upstream"
	"rgate/internal/wire"
)

// phase is what a client connection is doing.
type phase uint8

const (
	phaseHead   phase = iota // quiet, or a request head is coming
	phaseGreet               // a TLS handshake is under way, or is to be
	phaseWait                // suspended for a job
	phaseRelay               // an exchange with an endpoint
	phaseFlush               // an answer of rgate's own is being sent
	phaseLinger              // all is said; what still comes is thrown away
	phaseProxy               // the header of a proxy that speaks for the client is coming
	phaseBreak               // a reset is due once earlier answers have arrived
	phaseClosed
)

// conn is a client connection. It is all that a quiet one holds.
type conn struct {
	sock
	timer   timer
	addr    netip.Addr
	by      *listen.Listener
	tls     *secure // nil for one in the clear
	work    *work   // nil while quiet
	since   int64   // tick at which its handshake, its head or its end began
	served  int32   // requests so far; so small that a quiet conn is of 112 bytes, a size class
	phase   phase
	queued  bool // in loop.again
	counted bool // among the engine's connections
}

// work is what an exchange under way needs. Loops keep a free list. What it
// holds outlives an exchange only as memory: the rest is in values that are
// assigned anew, whole, so that nothing is forgotten when something is added.
type work struct {
	memory
	exchange
	attempt
}

// memory is kept from exchange to exchange.
type memory struct {
	req               h1.Request
	resp              h1.Response
	reqBody, respBody h1.Body
	head              wire.Header   // shows req
	in                buffer.Buffer // from the client; the head stays in front until the end
	up                buffer.Buffer // to the endpoint
	down              buffer.Buffer // from the endpoint, where it must be parsed
	out               buffer.Buffer // to the client
}

// exchange is the state of one exchange.
type exchange struct {
	x    proxy.Exchange
	keep int // length of the request head in front of in

	origin *origin
	wait   *wait // in phaseWait

	framing   framing // of the answer that goes out
	reqDone   bool    // the request's body was read to its end
	close     bool    // the client's connection ends with this exchange
	continued bool    // 100 Continue was passed on
	begun     bool    // Begin or Refuse was called

	// Ticks of the wheel; see late.go.
	since int64 // of the latest await
	moved int64 // BytesIn then
	told  int64 // since when out waits to be written; 0 for empty
}

// attempt is the state of one attempt.
type attempt struct {
	sent     extent        // of the request, that was written
	got      extent        // of the answer, that was read: a part is its head at least
	taking   taking        // whether the endpoint takes more of the request
	excess   bool          // the endpoint sent more than its answer
	fed      int64         // since when up waits to be written, as told
	idle     time.Duration // for which its connection may be used again; see wire.AppendResponseHead
	interims int           // 1xx answers so far
}

func (l *loop) getWork() *work {
	if n := len(l.works); n > 0 {
		w := l.works[n-1]
		l.works = l.works[:n-1]
		return w
	}
	w := &work{}
	w.head.Request = &w.req
	return w
}

// putWork gives back c's work and buffers: it is quiet.
func (l *loop) putWork(c *conn) {
	w := c.work
	if w == nil {
		return
	}
	c.work = nil
	for _, b := range []*buffer.Buffer{&w.in, &w.up, &w.down, &w.out} {
		l.mem.Put(b)
	}
	w.reset()
	if len(l.works) < maxFree {
		l.works = append(l.works, w)
	}
}

// reset makes w ready for the next request on the same connection. Buffers
// stay.
func (w *work) reset() {
	w.req.Reset()
	w.resp.Reset()
	w.reqBody.Reset()
	w.respBody.Reset()
	w.exchange, w.attempt = exchange{}, attempt{}
}

// turns bounds how long one connection keeps its loop.
const turns = 32

// drive goes on with c as far as it can without waiting.
func (l *loop) drive(c *conn) {
	for range turns {
		if l.step(c) != again {
			return
		}
	}
	if !c.queued {
		c.queued = true
		l.again = append(l.again, c)
	}
}

// step does once what c's phase is about.
func (l *loop) step(c *conn) step {
	switch c.phase {
	case phaseGreet:
		return l.greet(c)
	case phaseHead:
		return l.readHead(c)
	case phaseProxy:
		return l.announced(c)
	case phaseRelay:
		return l.relay(c)
	case phaseFlush:
		return l.flushAnswer(c)
	case phaseLinger:
		return l.linger(c)
	}
	return stall
}

// gone looks whether c's client went away in the middle of its exchange, and
// ends it if so.
func (l *loop) gone(c *conn) bool {
	if c.phase != phaseRelay && c.phase != phaseWait {
		return false
	}
	if !c.broken && !(c.hup && l.leaves(c)) {
		return false
	}
	l.cancel(c)
	return true
}

// leaves tells whether a client that has finished sending is taken to be gone,
// or has not sent all of its request. The latter would be found out by reading
// on, but not while the endpoint takes nothing.
func (l *loop) leaves(c *conn) bool {
	w := c.work
	switch {
	case w.got == whole, c.phase == phaseWait && w.x.Owed():
		return false // nobody is spared anything
	case l.cfg.HalfClose == config.HalfCloseCancel:
		return true
	case w.reqDone:
		return false
	}
	if w.reqBody.Kind != h1.BodyLength {
		return false
	}
	if c.tls != nil {
		return w.endsWithin(c)
	}
	n, err := unix.IoctlGetInt(int(c.fd), unix.SIOCINQ)
	return err == nil && int64(len(w.in.Pending())+n) < w.reqBody.Left()
}

// endsWithin tells whether c, which has TLS and has ended, has not sent all of its
// request. How much of it is there, nobody knows who has not opened it: so what there
// is room for is read.
func (w *work) endsWithin(c *conn) bool {
	lacking := func() bool { return int64(len(w.in.Pending())) < w.reqBody.Left() }
	for lacking() && w.in.Room() > 0 {
		n, errno := c.read(w.in.Free())
		if n == 0 {
			return errno != unix.EAGAIN
		}
		w.in.Fill(n)
	}
	return false
}

// cancel ends an exchange whose client went away.
func (l *loop) cancel(c *conn) { l.close(c) }

// record ends the exchange's record, once.
func (l *loop) record(w *work, o upstream.Outcome) {
	if w.begun {
		w.begun = false
		w.x.End(o, l.now)
	}
}

// finish ends a complete exchange and makes c ready for the next request.
func (l *loop) finish(c *conn) {
	w := c.work
	l.record(w, upstream.Answered)
	// One that was not told so may speak again, even where the engine stops.
	if w.close || !w.reqDone {
		l.hangUp(c)
		return
	}
	w.in.Compact(0)
	w.reset()
	c.phase = phaseHead
	if w.in.Empty() && !c.ready() {
		l.quiet(c)
	} else if !w.in.Empty() {
		c.since = l.wheel.now
		l.wheel.set(&c.timer, l.now, l.cfg.Timeouts.ClientHeader)
	}
}

// quiet says that c waits for a request.
func (l *loop) quiet(c *conn) {
	l.putWork(c)
	if c.tls != nil {
		rawInput.slim(c.tls.conn, usualRecord)
	}
	if c.served > 0 || l.ends(c) {
		l.wheel.set(&c.timer, l.now, l.patience(c))
	}
}

// quiesce is the loop's part in Shutdown.
func (l *loop) quiesce() {
	for _, d := range l.doors {
		l.stopListening(d)
	}
	l.quiesced = true
	for _, s := range l.socks {
		if s.client != nil {
			l.hurry(s.client)
		}
	}
}

// ends tells whether the next answer on c is the last.
func (l *loop) ends(c *conn) bool { return l.engine.stopping.Load() || c.by.Draining() }

// hurry has c, which ends, do so soon where it is quiet.
func (l *loop) hurry(c *conn) {
	switch {
	case c.phase == phaseLinger:
		l.wheel.set(&c.timer, l.now, lingerShort)
	case c.phase != phaseHead && c.phase != phaseProxy && !c.ungreeted() || c.work != nil:
	case l.engine.stopping.Load() && l.engine.linger <= 0:
		l.leave(c)
	default:
		l.wheel.set(&c.timer, l.now, l.patience(c))
	}
}

// fire is called for a deadline that passed.
func (l *loop) fire(t *timer) {
	if t.origin != nil {
		l.outlived(t.origin)
		return
	}
	c := t.client
	w := c.work
	switch c.phase {
	case phaseGreet:
		l.close(c)
	case phaseHead:
		if w != nil && !w.in.Empty() {
			l.refuse(c, wire.AnswerSlow)
			l.drive(c)
			return
		}
		l.leave(c)
	case phaseProxy:
		l.engine.gate.Unannounced(c.addr, c.by.Config().Name, errLate, l.now)
		l.close(c)
	case phaseLinger, phaseFlush:
		l.close(c)
	case phaseBreak:
		l.breakOff(c)
	case phaseWait:
		l.overdue(c)
	case phaseRelay:
		l.late(c)
		l.drive(c)
	}
}
