package standard

import (
	"errors"
	"io"
	"syscall"
	"time"

	"rgate/internal/config"
	"rgate/internal/h1"
	"rgate/internal/proxy"
	"rgate/internal/wire"
)

// carry moves what is left of the body; false where that ends the attempt.
func (u *upload) carry() bool {
	x := u.x
	if x.reqBody.Done() {
		return true
	}
	fast, stuck := false, false // what comes fills the buffer; what is here is not enough to go on
	for !x.reqBody.Done() && !u.dead {
		if fast && x.in.Empty() && x.Body == proxy.Streamed && x.reqBody.Kind == h1.BodyLength && !x.Web {
			if !u.through() {
				return false
			}
			continue
		}
		if x.in.Empty() || stuck {
			space := u.space()
			n := u.read(space)
			if n == 0 {
				return false
			}
			x.in.Fill(n)
			fast = n == len(space)
		}
		spare.Need(&u.out)
		u.out.B = u.out.B[:0]
		before := x.in.R
		if !u.frame() || !u.put(u.out.B) {
			return false
		}
		stuck = x.in.R == before
	}
	u.rest()
	return true
}

// space is where the client's bytes go.
func (x *exchange) space() []byte {
	if x.Body != proxy.Replayable {
		x.in.Compact(x.keep)
	}
	return x.in.Free()
}

// space is where bytes of the body go. Where a call does not fit what is kept of it,
// it is kept no longer.
func (u *upload) space() []byte {
	x := u.x
	if x.Body == proxy.Replayable && x.reqBody.Kind == h1.BodyChunked && x.in.Room() == 0 {
		u.mu.Lock()
		x.Body = proxy.Streamed
		u.mu.Unlock()
	}
	return x.space()
}

// frame moves body bytes from in to out, framed anew; false where they are none.
func (u *upload) frame() bool {
	x := u.x
	chunked := x.reqBody.Kind == h1.BodyChunked || x.Web
	for !x.reqBody.Done() && !x.in.Empty() {
		room := u.out.Room() - wire.FrameRoom
		if room <= 0 {
			break
		}
		b := x.in.Pending()
		data, n, done, err := x.reqBody.Next(b[:min(len(b), room)])
		if err != nil {
			u.fail(malformed, err)
			return false
		}
		x.in.R += n
		x.BytesIn += int64(len(data))
		if err = u.say(data, chunked, done); err != nil {
			u.fail(malformed, err)
			return false
		}
		if done {
			if chunked {
				u.out.B = wire.AppendLastChunk(u.out.B, x.reqBody.Trailer(), x.RequestEdits())
			}
			u.finish()
		}
		if n == 0 {
			break
		}
	}
	return true
}

// say appends a piece of the body for the endpoint, done where it is the last. What
// a client of gRPC-Web says in base64 the endpoint gets as it is.
func (u *upload) say(data []byte, chunked, done bool) error {
	if !u.x.Web || u.x.RPC != proxy.GRPCWebText {
		u.out.B = wire.AppendBody(u.out.B, data, chunked)
		return nil
	}
	plain, err := u.text.Append(make([]byte, 0, len(data)), data)
	if err == nil && done && !u.text.Whole() {
		err = wire.ErrWebText
	}
	u.out.B = wire.AppendBody(u.out.B, plain, chunked)
	return err
}

// through moves bytes of a body of known length, more at once than in has room
// for. It never reads what follows: that is the next request.
func (u *upload) through() bool {
	x := u.x
	spare.Put(&u.out)
	mem := bulk.Get().(*[bulkSize]byte)
	defer giveBulk(mem)
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
			if u.timed && x.BytesIn-u.owing >= freeRate && !x.Streams() {
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
	if u.x.Streams() {
		u.x.client.debt.pay()
		u.mu.Lock()
		defer u.mu.Unlock()
		if !u.over {
			_ = u.x.client.SetReadDeadline(time.Time{}) // as in stop
		}
		return
	}
	u.owe()
	u.deadline(c.SetReadDeadline, c.config().Limits.BodyProgress.Within)
}

// owe says that the client gets on, up to now.
func (u *upload) owe() {
	now, c := time.Now(), u.x.client
	u.owing = u.x.BytesIn
	c.debt.owe(body, now, now.Add(c.config().Limits.BodyProgress.Within))
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
		u.cut = u.cut || errors.Is(err, syscall.ECONNRESET)
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
	for space := u.x.space(); len(space) > 0; space = u.x.space() {
		n, err := c.Read(space)
		u.x.in.Fill(n)
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
