package standard

import (
	"errors"
	"time"

	"rgate/internal/config"
	"rgate/internal/h1"
	"rgate/internal/h2"
	"rgate/internal/proxy"
	"rgate/internal/upstream"
	"rgate/internal/wire"
)

// attempt makes one attempt on e, after one that ended with last.
func (x *exchange) attempt(e *upstream.Endpoint, last upstream.Outcome) upstream.Outcome {
	// After these only a fresh connection will do.
	fresh := last == upstream.Stale || last == upstream.Reset
	conn, o, err := x.connect(e, fresh, !x.Repeatable())
	u := &x.up
	u.begin(conn)
	if o != upstream.None {
		x.Fault = err
		return o
	}
	x.interims = 0
	x.resp.Reset()
	spare.Need(&x.down)
	x.down.Clear()
	u.launch()
	u.start()
	o, err = x.receive()
	u.stop()
	if o == upstream.None {
		o = x.judge(err)
	}
	if o == upstream.TimedOut && conn.trunk != nil && conn.trunk.conn.Quiet(conn.since) {
		conn.trunk.conn.Leave() // nobody may be there any more
	}
	if x.Fault == nil && u.why == none {
		x.Fault = err
	}
	if o == upstream.Answered && u.sent && conn.reusable() && !x.resp.Close && !x.Upgraded && !x.Bound && x.down.Empty() {
		x.engine().pools.keep(conn)
	} else if o == upstream.Answered && !x.Upgraded {
		conn.leave()
	} else {
		_ = conn.Close()
	}
	u.conn = nil
	return o
}

// receive reads the answer and passes it on. None says that the endpoint's
// connection failed with err before there was a head.
func (x *exchange) receive() (upstream.Outcome, error) {
	conn := x.up.conn
	for {
		if x.up.reason() != none {
			return upstream.None, nil
		}
		n, o := x.heads()
		if o != upstream.None {
			return o, nil
		}
		if n > 0 {
			return x.deliver(n), nil
		}
		if x.down.Empty() {
			x.down.Clear()
		} else if x.down.Compact(0); x.down.Room() == 0 {
			spare.Widen(&x.down, 2*cap(x.down.B))
		}
		n, err := conn.Read(x.down.Free())
		x.down.Fill(n)
		if n == 0 {
			return upstream.None, err
		}
	}
}

// heads parses what is in down, and passes on the 1xx answers. It returns the
// length of the final head, or 0 while that is not there.
func (x *exchange) heads() (int, upstream.Outcome) {
	for !x.down.Empty() {
		p := &x.resp
		n, err := h1.ParseResponse(x.down.Pending(), wire.ResponseLimits(&x.client.config().Limits), x.req.Method, p)
		if err == nil && n > 0 {
			if p.Interim {
				x.interims++
			}
			err = wire.CheckResponse(p, x.interims, x.req.Upgrade && wire.WebSocket(&x.req))
		}
		if err != nil {
			x.Fault = wire.Fault(err)
			return 0, upstream.Invalid
		}
		if n == 0 || !p.Interim {
			return n, upstream.None
		}
		if !x.interim() {
			return 0, upstream.Canceled
		}
		x.down.R += n
		p.Reset()
	}
	return 0, upstream.None
}

// interim passes a 1xx answer on to a client that knows them; false where that
// client is gone.
func (x *exchange) interim() bool {
	if x.req.Minor == 0 {
		return true
	}
	if x.resp.Status == 100 {
		if !x.req.Expect100 || x.continued {
			return true
		}
		x.continued = true
	}
	spare.Need(&x.out)
	x.out.B = wire.AppendInterim(x.out.B[:0], &x.Exchange, &x.resp)
	if !x.up.tell(x.out.B) {
		return false
	}
	if x.resp.Status == 100 {
		x.up.proceed()
	}
	return true
}

// judge tells how an attempt ended that got no head; err is what the endpoint's
// connection said.
func (x *exchange) judge(err error) upstream.Outcome {
	u := &x.up
	switch u.why {
	case none:
	case stalled:
		return upstream.TimedOut
	case expired:
		return upstream.Expired
	default:
		return upstream.Canceled
	}
	if isTimeout(err) {
		return upstream.TimedOut
	}
	if bad := (*h1.Error)(nil); errors.As(err, &bad) {
		x.Fault = wire.Fault(bad)
		return upstream.Invalid
	}
	kept := u.conn.reused && x.down.Empty() && x.interims == 0
	whole := x.Body != proxy.Streamed || x.BytesIn == 0 && !u.done // it can be sent from its beginning
	untouched := !u.wrote && whole
	switch {
	case whole && h2.Unprocessed(err):
		return upstream.Untouched
	case untouched && !(kept && x.Repeatable()):
		return upstream.Reset
	case kept:
		if u.conn.trunk == nil {
			u.conn.to.Closed(u.conn.rested)
		}
		return upstream.Stale
	}
	return upstream.Broken
}

// deliver passes on the final answer, whose head of n bytes is at the start of
// what is in down.
func (x *exchange) deliver(n int) upstream.Outcome {
	u, p := &x.up, &x.resp
	// Whether the client left is known whatever the timing.
	if x.client.config().HalfClose == config.HalfCloseCancel {
		if _, ended := x.client.sight.look(); ended {
			u.fail(gone, nil)
		}
	}
	code := x.code(p.Fields)
	if code != nil && x.Refused(code, u.repeatable(), time.Now()) {
		return upstream.Refused
	}
	done, ok := u.answered()
	if !ok {
		return upstream.None // judge knows
	}
	x.Head(p.Status)
	if code != nil {
		x.Said(code)
	}
	p.Body(&x.respBody, h1.Limits{})
	x.trailerless = code != nil
	unsized := x.respBody.Kind == h1.BodyChunked || x.respBody.Kind == h1.BodyUntilClose || x.Web && !x.trailerless
	x.chunked = unsized && x.req.Minor == 1
	x.raw = unsized && x.req.Minor == 0
	x.close = x.close || x.raw || x.client.ends() || !done
	spare.Need(&x.out)
	x.out.B, u.conn.keeps = wire.AppendResponseHead(x.out.B[:0], &x.Exchange, p, x.ending(), x.engine().currentDate())
	x.down.R += n
	if p.Upgrade {
		return x.tunnel()
	}
	return x.relay()
}

// relay moves the answer's body. What out holds goes before it.
func (x *exchange) relay() upstream.Outcome {
	for {
		err := x.reframe()
		done := x.respBody.Done()
		if done {
			if code := x.code(x.respBody.Trailer()); code != nil {
				x.Said(code)
			}
		}
		if done && x.Web && !x.trailerless {
			x.out.B = wire.AppendWebTrailer(x.out.B, x.respBody.Trailer(), &x.Exchange, x.chunked)
		}
		switch {
		case !done || !x.chunked:
		case x.Web:
			x.out.B = append(x.out.B, h1.LastChunk...) // what follows the messages is among them
		default:
			x.out.B = wire.AppendLastChunk(x.out.B, x.respBody.Trailer(), x.ResponseEdits())
		}
		told := x.up.tell(x.out.B)
		x.out.B = x.out.B[:0]
		switch {
		case !told:
			return upstream.Canceled
		case err != nil:
			return x.truncated(err)
		case done:
			return upstream.Answered
		case x.down.Empty() && !x.chunked && !x.Web && x.respBody.Kind == h1.BodyLength:
			return x.straight()
		}
		x.down.Compact(0)
		n, err := x.up.conn.Read(x.down.Free())
		if x.down.Fill(n); n > 0 {
			continue
		}
		if !isEnd(err) || x.respBody.EOF() != nil || !x.up.whole() {
			return x.truncated(err)
		}
		if x.chunked && !x.up.tell([]byte(h1.LastChunk)) {
			return upstream.Canceled
		}
		return upstream.Answered
	}
}

// reframe moves body bytes from down to out.
func (x *exchange) reframe() error {
	for !x.respBody.Done() && !x.down.Empty() {
		data, n, _, err := x.respBody.Next(x.down.Pending())
		if err != nil {
			return err
		}
		if x.Web {
			x.out.B = wire.AppendWebBody(x.out.B, data, &x.Exchange, x.chunked)
		} else {
			x.out.B = wire.AppendBody(x.out.B, data, x.chunked)
		}
		x.BytesOut += int64(len(data))
		x.down.R += n
		if n == 0 {
			return nil
		}
	}
	return nil
}

// straight moves what is left of a body of known length, more at once than the
// exchange has room for once it comes fast enough.
func (x *exchange) straight() upstream.Outcome {
	spare.Put(&x.out) // a slow client is to hold no more than it needs
	for space := x.down.B[:cap(x.down.B)]; ; {
		n, err := x.up.conn.Read(space[:min(int64(len(space)), x.respBody.Left())])
		if n == 0 {
			return x.truncated(err)
		}
		x.respBody.Skip(int64(n))
		x.BytesOut += int64(n)
		if !x.up.tell(space[:n]) {
			return upstream.Canceled
		}
		if x.respBody.Done() {
			return upstream.Answered
		}
		if n == len(space) && n < bulkSize {
			mem := bulk.Get().(*[bulkSize]byte)
			defer giveBulk(mem)
			spare.Put(&x.down)
			space = mem[:]
		}
	}
}

// truncated ends an answer that cannot be completed: the client has what came so
// far, and its connection ends without the end of the answer.
func (x *exchange) truncated(err error) upstream.Outcome {
	if x.up.reason() != none {
		return upstream.Canceled
	}
	x.Fault = err
	return upstream.Truncated
}

// code is what an endpoint ended a call of gRPC with; nil where fields do not say,
// or the request is none.
func (x *exchange) code(fields []h1.Field) []byte {
	if x.RPC == proxy.NoRPC {
		return nil
	}
	return wire.StatusOf(fields)
}
