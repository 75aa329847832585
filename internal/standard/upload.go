package standard

import (
	"sync"
	"time"

	"rgate/internal/buffer"
	"rgate/internal/config"
	"rgate/internal/h1"
	"rgate/internal/proxy"
	"rgate/internal/wire"
)

// fault is why the client's side ends an attempt.
type fault uint8

const (
	none      fault = iota
	gone            // the client went away
	slow            // it sends too little of its body
	malformed       // what it sends is no body
	deaf            // it takes nothing of its answer
	stalled         // the endpoint takes nothing of it
	expired         // the time that the client gave its call is over
)

// upload is the client's side of one attempt: a goroutine that moves the rest of
// the request's body to the endpoint, then watches whether the client leaves. The
// other goroutine, which waits for the answer, begins and stops it; what both
// look at is behind mu.
type upload struct {
	x   *exchange
	out buffer.Buffer // to the endpoint
	wg  sync.WaitGroup

	// Of the goroutine that moves the body.
	held  bool  // the client waits to be told to send its body
	timed bool  // its time is being counted
	moved int64 // BytesIn when that began
	owing int64 // BytesIn when the client last got on
	text  wire.WebText

	mu     sync.Mutex
	conn   *upstreamConn
	clock  *time.Timer   // that ends a call in time; nil for none
	over   bool          // nobody waits for it any more
	quit   chan struct{} // closed then, where it is not nil
	why    fault
	err    error // for malformed
	done   bool  // the request's body was read to its end
	sent   bool  // and everything was written
	wrote  bool  // something was written
	dead   bool  // the endpoint takes no more
	cut    bool  // it reset the connection without having ended its side: see whole
	headed bool  // the final head of its answer is here
}

// begin makes u ready for an attempt on conn.
func (u *upload) begin(conn *upstreamConn) {
	x := u.x
	if x.Body == proxy.Replayable {
		x.in.R, x.BytesIn = x.keep, 0
		x.req.Body(&x.reqBody, h1.Limits{})
	}
	u.text = wire.WebText{}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.conn, u.over, u.quit, u.why, u.err = conn, false, nil, none, nil
	u.done, u.sent, u.wrote, u.dead, u.cut, u.headed = x.reqBody.Done(), false, false, false, false, false
	u.held = x.req.Expect100 && !u.done && !x.continued && x.BytesIn == 0
	u.timed, u.moved = false, x.BytesIn
	if !x.Deadline.IsZero() {
		u.clock = time.AfterFunc(time.Until(x.Deadline), func() { u.fail(expired, nil) })
	}
	if u.held { // by the endpoint, whose time this is
		_ = x.client.SetReadDeadline(time.Time{}) // as in stop
	}
}

// launch sends the request's head, and with it what is here of its body.
func (u *upload) launch() {
	x := u.x
	spare.Need(&u.out)
	u.out.B = wire.AppendRequestHead(u.out.B[:0], &x.Exchange, &x.req)
	if u.frame() && u.put(u.out.B) {
		u.rest()
	}
}

// rest says how long the answer may take, once all has been sent or the client
// waits to be told to send.
func (u *upload) rest() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sent = u.done && !u.dead
	if u.sent {
		spare.Put(&u.out)
	}
	switch {
	case u.headed || u.why != none || u.over:
	case u.done || u.dead || u.held:
		now := time.Now()
		u.x.Asked(now)
		_ = u.conn.SetReadDeadline(now.Add(u.x.HeadWait())) // fails on a closed connection: so does the read
	default:
		_ = u.conn.SetReadDeadline(time.Time{})
	}
}

func (u *upload) timeouts() *config.Timeouts { return &u.x.client.config().Timeouts }

// start begins to move and to watch.
func (u *upload) start() {
	u.wg.Add(1)
	go u.run()
}

func (u *upload) run() {
	defer u.wg.Done()
	if u.reason() == none && u.carry() {
		u.watch()
	}
}

// stop ends it, and returns once it has ended.
func (u *upload) stop() {
	u.mu.Lock()
	if u.quit != nil && !u.over {
		close(u.quit)
	}
	u.over = true
	if u.clock != nil {
		u.clock.Stop()
		u.clock = nil
	}
	_ = u.x.client.SetReadDeadline(past) // these fail on closed connections, which nobody waits for
	if u.conn != nil {
		_ = u.conn.SetWriteDeadline(past)
	}
	u.mu.Unlock()
	u.wg.Wait()
}

// whole tells whether the endpoint's end, which was read, was an end in order. A
// reset is told once, to whoever writes or reads first; what is read after a
// write has got it looks like an end. The kernel says EPIPE to the write where it
// was one, and the reset came later (tcp_reset in Linux).
func (u *upload) whole() bool {
	u.stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	return !u.cut
}

// fail ends the attempt.
func (u *upload) fail(why fault, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over || u.why != none {
		return
	}
	u.why, u.err = why, err
	_ = u.x.client.SetWriteDeadline(past) // as in stop
	if u.conn != nil {
		_ = u.conn.SetReadDeadline(past)
	}
}

// blame is the answer to a client whose own doing ended the attempt; nil where it
// went away.
func (u *upload) blame() *proxy.Answer {
	switch u.why {
	case slow:
		return wire.AnswerSlow
	case malformed:
		return wire.Refusal(u.err)
	}
	return nil
}

// finish says that the body was read to its end.
func (u *upload) finish() {
	u.x.client.debt.pay()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done = true
}

// deadline sets a deadline from now, unless all is over.
func (u *upload) deadline(set func(time.Time) error, d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.over {
		_ = set(time.Now().Add(d)) // as in stop
	}
}

func (u *upload) isOver() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.over
}

// reason is why the client's side ended the attempt.
func (u *upload) reason() fault {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.why
}

// proceed says that 100 Continue was passed on: it is the client's turn.
func (u *upload) proceed() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done || u.why != none {
		return
	}
	_ = u.conn.SetReadDeadline(time.Time{}) // as in stop
	_ = u.x.client.SetReadDeadline(time.Now().Add(u.x.client.config().Limits.BodyProgress.Within))
}

// answered says that the final head is here, which ends the time for it. done
// tells whether the request was read to its end by then, ok whether the attempt
// goes on.
func (u *upload) answered() (done, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.why != none {
		return u.done, false
	}
	u.headed = true
	_ = u.conn.SetReadDeadline(time.Time{}) // as in stop
	return u.done, true
}

// tell writes to the client; false where that ends the attempt. Only one
// goroutine does so.
func (u *upload) tell(b []byte) bool {
	c := u.x.client
	for len(b) > 0 {
		u.mu.Lock()
		if u.why != none {
			u.mu.Unlock()
			return false
		}
		now := time.Now()
		until := now.Add(u.timeouts().Idle)
		_ = c.SetWriteDeadline(until) // as in stop
		u.mu.Unlock()
		c.debt.owe(reading, now, until)
		n, err := c.Write(b)
		c.debt.pay()
		if b = b[n:]; err != nil && (n == 0 || !isTimeout(err)) {
			if isTimeout(err) {
				u.fail(deaf, nil)
			} else {
				u.fail(gone, err)
			}
			return false
		}
	}
	return true
}

// repeatable tells whether the request can be sent again, as it is kept, or none of
// its body was taken yet.
func (u *upload) repeatable() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.x.Body != proxy.Streamed
}
