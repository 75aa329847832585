package standard

import (
	"time"

	"rgate/internal/buffer"
	"rgate/internal/h1"
	"rgate/internal/proxy"
	"rgate/internal/upstream"
	"rgate/internal/wire"
)

// exchange is one request under way and its answer. Engines lend them. What one
// holds outlives an exchange only as memory: the rest is assigned anew, whole.
type exchange struct {
	memory
	state
}

// memory is kept from exchange to exchange.
type memory struct {
	req               h1.Request
	resp              h1.Response
	reqBody, respBody h1.Body
	header            wire.Header   // shows req
	in                buffer.Buffer // from the client; the head stays in front until the end
	down              buffer.Buffer // from the endpoint
	out               buffer.Buffer // to the client
	up                upload
}

// state is the state of one exchange.
type state struct {
	proxy.Exchange
	client    *client
	keep      int  // length of the request's head in front of in
	begun     bool // Begin or Refuse was called
	chunked   bool // the answer goes out in chunks
	raw       bool // the answer ends with the client's connection
	close     bool // the client's connection ends with this exchange
	interims  int  // 1xx answers of this attempt
	continued bool // 100 Continue was passed on

	trailerless bool // the head of the answer to a call says how it ended
}

// take lends an exchange for c's next request.
func (e *Engine) take(c *client) *exchange {
	x, ok := e.spare.Get().(*exchange)
	if !ok {
		x = &exchange{}
		x.header.Request = &x.req
		x.up.x = x
	}
	x.client = c
	spare.Need(&x.in)
	return x
}

// give takes x back.
func (e *Engine) give(x *exchange) {
	for _, b := range []*buffer.Buffer{&x.in, &x.down, &x.out, &x.up.out} {
		spare.Put(b)
	}
	x.reset()
	x.client = nil
	e.spare.Put(x)
}

// reset makes x ready for the next request of the same client.
func (x *exchange) reset() {
	x.req.Reset()
	x.resp.Reset()
	x.reqBody.Reset()
	x.respBody.Reset()
	x.state = state{client: x.client}
}

func (x *exchange) engine() *Engine { return x.client.engine }

// accept goes on with a complete head of n bytes at the start of in.
func (x *exchange) accept(n int) {
	if cap(x.in.B)-n < wire.MinBodyRoom {
		spare.Widen(&x.in, n+buffer.Size)
		x.req.Reset()
		_, _ = h1.ParseRequest(x.in.B, wire.RequestLimits(&x.client.config().Limits), &x.req) // it was good a moment ago
	}
	x.keep, x.in.R = n, n
	r, c := &x.req, x.client
	x.Method, x.Target, x.Host = r.Method, wire.Target(r), r.Host
	x.Peer, x.Start, x.Header, x.HTTP2 = c.addr, time.Now(), &x.header, c.stream != nil
	if c.secured != nil {
		x.Secured, x.HSTS = c.secured, c.secured.HSTS()
	} else if r := c.by.Redirect(); r != nil {
		x.Redirect = r
	}
	r.Body(&x.reqBody, h1.Limits{})
	switch {
	case x.reqBody.Done():
		x.Body = proxy.NoBody
	case wire.Keeps(r, n):
		x.Body = proxy.Replayable
	default:
		x.Body = proxy.Streamed
	}
	c.served++
	most := c.config().Limits.RequestsPerConnection
	x.close = r.Close || most > 0 && c.served >= most
}

// respond sees to it that the request is answered. It tells whether another may
// follow on the connection.
func (c *client) respond() bool {
	x := c.x
	c.debt.pay()
	x.begun = true
	v, there := c.engine.gate.Begin(&x.Exchange), true
	if x.RPC != proxy.NoRPC && x.reqBody.Kind == h1.BodyChunked {
		x.Body = proxy.Replayable // calls do not say how long they are: it is kept while it fits
	}
	for v == proxy.Wait {
		if v, there = x.suspend(); !there {
			return false
		}
	}
	if v == proxy.Reply {
		return x.reply()
	}
	return x.forward()
}

// forward makes attempts until one answers or none may follow.
func (x *exchange) forward() bool {
	for last := upstream.None; ; {
		e := x.Next(last, time.Now())
		if e == nil {
			return x.reply()
		}
		switch last = x.attempt(e, last); last {
		case upstream.Answered:
			x.record(last)
			return x.next()
		case upstream.Truncated:
			x.record(last)
			x.abort()
			return false
		case upstream.Canceled:
			return x.cancel()
		}
	}
}

// cancel ends an exchange that its client ended, by leaving or by what it sent.
func (x *exchange) cancel() bool {
	a := x.up.blame()
	if a != nil && !x.up.headed {
		x.refuse(a)
		return false
	}
	x.record(upstream.Canceled)
	if x.up.headed {
		x.client.reset()
	}
	return false
}

// record ends the exchange's record, once.
func (x *exchange) record(o upstream.Outcome) {
	if x.begun {
		x.begun = false
		x.End(o, time.Now())
	}
}

// abort ends the connection so that the client sees that the answer is not
// complete, also where only the connection's end would have told: then it must
// be a reset. Either way what was answered before still arrives, so it is not
// closed on bytes that the client sent, and not reset on bytes that it has not
// got.
func (x *exchange) abort() {
	c := x.client
	if !x.raw {
		c.hangUp()
		return
	}
	for end := time.Now().Add(breakPatience); c.sight.unsent() && time.Now().Before(end); {
		time.Sleep(breakLook)
	}
	c.reset()
}

// How long a reset waits for what was sent to arrive, and how often it looks.
const (
	breakPatience = time.Second
	breakLook     = 10 * time.Millisecond
)

// refuse answers a request that could not be read, and closes after it: nobody
// knows where the next one would begin.
func (x *exchange) refuse(a *proxy.Answer) {
	if !x.begun {
		x.Peer, x.Start, x.Method = x.client.addr, time.Now(), x.req.Method
		x.begun = true
		x.engine().gate.Refuse(&x.Exchange, a)
	} else {
		x.Deny(a)
		x.record(upstream.Canceled) // whatever endpoint it went to is not to blame
	}
	x.close = true
	x.reply()
}

// reply sends x.Answer. What the client's request still holds is skipped where it
// is here already; otherwise the connection closes.
func (x *exchange) reply() bool {
	for !x.close && !x.reqBody.Done() {
		_, n, _, err := x.reqBody.Next(x.in.Pending())
		x.in.R += n
		x.close = n == 0 || err != nil
	}
	x.close = x.close || x.client.ends()
	x.chunked = false
	spare.Need(&x.out)
	x.out.B = wire.AppendAnswer(x.out.B[:0], &x.Exchange, x.ending(), x.engine().currentDate())
	err := x.client.write(x.out.B)
	x.record(upstream.None) // the last attempt was settled when it failed
	if err != nil {
		x.client.reset()
		return false
	}
	return x.next()
}

// ending is how the answer ends.
func (x *exchange) ending() wire.Ending {
	return wire.Ending{Chunked: x.chunked, Close: x.close, KeepAlive: x.req.KeepAlive}
}

// next makes the connection ready for another request, or ends it.
func (x *exchange) next() bool {
	c := x.client
	if x.Upgraded {
		return false
	}
	if x.close || !x.reqBody.Done() {
		c.hangUp()
		return false
	}
	x.in.Compact(0)
	x.reset()
	return true
}
