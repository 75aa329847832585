package standard

import (
	"errors"
	"io"
	"sync"
	"time"

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
)

// upload is the client's side of one attempt: a goroutine that moves the rest of
// the request's body to the endpoint, then watches whether the client leaves. The
// other goroutine, which waits for the answer, begins and stops it; what both
// look at is behind mu.
type upload struct {
	x     *exchange
	out   buffer        // to the endpoint
	broke chan struct{} // has a word once why is set
	wg    sync.WaitGroup

	// Of the goroutine that moves the body.
	held  bool  // the client waits to be told to send its body
	timed bool  // its time is being counted
	moved int64 // BytesIn when that began
	owing int64 // BytesIn when the client last got on

	mu     sync.Mutex
	conn   *upstreamConn // nil where there is no endpoint yet
	over   bool          // nobody waits for it any more
	quit   chan struct{} // closed then, where it is not nil
	why    fault
	err    error // for malformed
	done   bool  // the request's body was read to its end
	sent   bool  // and everything was written
	wrote  bool  // something was written
	dead   bool  // the endpoint takes no more
	headed bool  // the final head of its answer is here
}

// begin makes u ready for an attempt on conn.
func (u *upload) begin(conn *upstreamConn) {
	x := u.x
	select {
	case <-u.broke:
	default:
	}
	if x.Body == proxy.Replayable {
		x.in.r, x.BytesIn = x.keep, 0
		x.req.Body(&x.reqBody, h1.Limits{})
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.conn, u.over, u.quit, u.why, u.err = conn, false, nil, none, nil
	u.done, u.sent, u.wrote, u.dead, u.headed = x.reqBody.Done(), false, false, false, false
	u.held = x.req.Expect100 && !u.done && !x.continued && x.BytesIn == 0
	u.timed, u.moved = false, x.BytesIn
	if u.held { // by the endpoint, whose time this is
		_ = x.client.SetReadDeadline(time.Time{}) // as in stop
	}
}

// launch sends the request's head, and with it what is here of its body.
func (u *upload) launch() {
	x := u.x
	u.out.need()
	u.out.b = wire.AppendRequestHead(u.out.b[:0], &x.Exchange, &x.req)
	if u.frame() && u.put(u.out.b) {
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
		u.out.release()
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
	if u.reason() == none && (u.conn == nil || u.carry()) {
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
	_ = u.x.client.SetReadDeadline(past) // these fail on closed connections, which nobody waits for
	if u.conn != nil {
		_ = u.conn.SetWriteDeadline(past)
	}
	u.mu.Unlock()
	u.wg.Wait()
}

// fail ends the attempt.
func (u *upload) fail(why fault, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over || u.why != none {
		return
	}
	u.why, u.err = why, err
	u.broke <- struct{}{}
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

// carry moves what is left of the body; false where that ends the attempt.
func (u *upload) carry() bool {
	x := u.x
	fast, stuck := false, false // what comes fills the buffer; what is here is not enough to go on
	for !x.reqBody.Done() && !u.dead {
		if fast && x.in.empty() && x.Body == proxy.Streamed && x.reqBody.Kind == h1.BodyLength {
			if !u.through() {
				return false
			}
			continue
		}
		if x.in.empty() || stuck {
			space := u.space()
			n := u.read(space)
			if n == 0 {
				return false
			}
			x.in.fill(n)
			fast = n == len(space)
		}
		u.out.need()
		u.out.b = u.out.b[:0]
		before := x.in.r
		if !u.frame() || !u.put(u.out.b) {
			return false
		}
		stuck = x.in.r == before
	}
	u.rest()
	return true
}

// space is where the client's bytes go.
func (u *upload) space() []byte {
	if u.x.Body != proxy.Replayable {
		u.x.in.compact(u.x.keep)
	}
	return u.x.in.free()
}

// frame moves body bytes from in to out, framed anew; false where they are none.
func (u *upload) frame() bool {
	x := u.x
	chunked := x.reqBody.Kind == h1.BodyChunked
	for !x.reqBody.Done() && !x.in.empty() {
		room := u.out.room() - wire.FrameRoom
		if room <= 0 {
			break
		}
		b := x.in.pending()
		data, n, done, err := x.reqBody.Next(b[:min(len(b), room)])
		if err != nil {
			u.fail(malformed, err)
			return false
		}
		x.in.r += n
		x.BytesIn += int64(len(data))
		u.out.b = wire.AppendBody(u.out.b, data, chunked)
		if done {
			if chunked {
				u.out.b = h1.AppendLastChunk(u.out.b, x.reqBody.Trailer())
			}
			u.finish()
		}
		if n == 0 {
			break
		}
	}
	return true
}

// finish says that the body was read to its end.
func (u *upload) finish() {
	u.x.client.debt.pay()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done = true
}

// through moves bytes of a body of known length, more at once than in has room
// for. It never reads what follows: that is the next request.
func (u *upload) through() bool {
	x := u.x
	mem := bulk.Get().(*[bulkSize]byte)
	defer bulk.Put(mem)
	n := u.read(mem[:min(bulkSize, x.reqBody.Left())])
	if n == 0 {
		return false
	}
	x.reqBody.Skip(int64(n))
	x.BytesIn += int64(n)
	if x.reqBody.Done() {
		u.finish()
	}
	return u.put(mem[:n])
}

// read waits for bytes of the body, at least so many in each while as the limits
// say; 0 where the attempt is over.
func (u *upload) read(space []byte) int {
	x := u.x
	if !u.held && !u.timed {
		u.arm()
	}
	for {
		n, err := x.client.Read(space)
		switch {
		case n > 0:
			if u.timed && x.BytesIn-u.owing >= freeRate {
				u.owe()
			}
			if u.held { // it did not wait to be told, or was
				u.held = false
				u.rest()
			}
			return n
		case !isTimeout(err):
			u.fail(gone, err)
			return 0
		case u.isOver():
			return 0
		case x.BytesIn-u.moved < int64(x.client.config().Limits.BodyProgress.Bytes):
			u.fail(slow, nil)
			return 0
		}
		u.arm()
	}
}

// arm counts the client's time from now.
func (u *upload) arm() {
	c := u.x.client
	u.timed, u.moved = true, u.x.BytesIn
	u.owe()
	u.deadline(c.SetReadDeadline, c.config().Limits.BodyProgress.Within)
}

// owe says that the client gets on, up to now.
func (u *upload) owe() {
	now, c := time.Now(), u.x.client
	u.owing = u.x.BytesIn
	c.debt.owe(body, now, now.Add(c.config().Limits.BodyProgress.Within))
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

// slowPut is what an endpoint may take for a piece of a body without its being
// held against the client.
const slowPut = 10 * time.Millisecond

// put writes to the endpoint, which has to take some of it now and then; false
// where that ends the attempt. An endpoint that takes no more may have answered
// before: only reading tells.
func (u *upload) put(b []byte) bool {
	began, patience := time.Now(), u.timeouts().ResponseHeader
	for len(b) > 0 {
		u.deadline(u.conn.SetWriteDeadline, patience)
		n, err := u.conn.Write(b)
		b = b[n:]
		late := isTimeout(err)
		u.mu.Lock()
		u.wrote = u.wrote || n > 0
		over, headed := u.over, u.headed
		u.dead = u.dead || err != nil && !over && (!late || n == 0 && headed)
		dead := u.dead
		u.mu.Unlock()
		switch {
		case over:
			return false
		case dead:
			u.rest()
			return true
		case late && n == 0:
			u.fail(stalled, nil)
			return false
		}
	}
	if u.timed && time.Since(began) > slowPut {
		u.timed = false
	}
	return true
}

// watch reads on, as far as there is room, until the client leaves or nobody
// cares any more. What it reads is the next request's.
func (u *upload) watch() {
	c := u.x.client
	u.mu.Lock()
	if !u.over {
		_ = c.SetReadDeadline(time.Time{}) // as in stop
	}
	done := u.done
	u.mu.Unlock()
	for space := u.space(); len(space) > 0; space = u.space() {
		n, err := c.Read(space)
		u.x.in.fill(n)
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && done && c.config().HalfClose == config.HalfCloseAnswer:
			c.ended = true
			u.outlast()
			return
		case isTimeout(err):
			return // nobody cares
		default:
			c.ended = true
			u.fail(gone, err)
			return
		}
	}
}

// brokenEvery is how often a client that has finished sending is looked at: that
// it has gone altogether does not show in a read.
const brokenEvery = 100 * time.Millisecond

// outlast watches a client that has finished sending and waits for its answer.
func (u *upload) outlast() {
	u.mu.Lock()
	if u.over {
		u.mu.Unlock()
		return
	}
	u.quit = make(chan struct{})
	u.mu.Unlock()
	every := time.NewTicker(brokenEvery)
	defer every.Stop()
	for {
		select {
		case <-u.quit:
			return
		case <-every.C:
			if u.x.client.sight.broken() {
				u.fail(gone, nil)
				return
			}
		}
	}
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
