package standard

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"rgate/internal/proxy"
	"rgate/internal/upstream"
)

// attempts is ReverseProxy's transport: it sends a request to one endpoint
// after the other, as the gate says.
type attempts struct{}

var errAnswered = errors.New("cannot forward: rgate answers by itself")

// RoundTrip implements http.RoundTripper.
func (attempts) RoundTrip(r *http.Request) (*http.Response, error) {
	x := exchangeOf(r.Context())
	for {
		ep := x.Next(x.outcome, time.Now())
		if ep == nil {
			return nil, errAnswered
		}
		res, err := x.try(r, ep)
		if err == nil {
			return x.take(res), nil
		}
		if x.outcome == upstream.Canceled {
			return nil, err
		}
		x.Fault = err
	}
}

// try makes one attempt on ep, and again on another connection where a kept one
// turns out to be closed before a byte is sent.
func (x *exchange) try(r *http.Request, ep *upstream.Endpoint) (*http.Response, error) {
	t := x.engine.transportTo(ep, x.Table.Config.Timeouts)
	for {
		a := &attempt{sure: !x.Repeatable()}
		res, err := t.RoundTrip(a.request(r, x, ep))
		if err == nil {
			err = x.check(res, a)
		}
		if err == nil {
			a.conn.Load().learn(res.Header)
			return res, nil
		}
		if a.spent() {
			t.CloseIdleConnections() // this one was the youngest
		}
		if a.kept.Load() && a.unsent() && r.Context().Err() == nil && x.body.rewind() {
			continue
		}
		x.outcome = x.judge(r.Context(), a, err)
		if x.outcome != upstream.Canceled && !x.body.rewind() {
			x.Exchange.Body = proxy.Streamed // too much of it is gone
			if x.outcome == upstream.Reset {
				x.outcome = upstream.Broken
			}
		}
		return nil, err
	}
}

// attempt watches what one round trip does with its connection.
type attempt struct {
	sure        bool        // the connection must be certain to be alive
	kept        atomic.Bool // the connection is not fresh
	conn        atomic.Pointer[upstreamConn]
	asked       int64 // of conn, before this attempt; conn may serve the next by the time this one's answer is looked at
	wrote, read int64
}

// request is r made for one attempt.
func (a *attempt) request(r *http.Request, x *exchange, ep *upstream.Endpoint) *http.Request {
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: a.got})
	out := r.WithContext(ctx)
	url := *r.URL
	url.Host = ep.Address
	out.URL = &url
	switch {
	case x.body != nil:
		out.Body = x.body.attempt()
	case r.Method == http.MethodGet, r.Method == http.MethodHead, r.Method == http.MethodOptions:
		// net/http repeats a request without a body by itself when a
		// kept-alive connection breaks. Whether to is the gate's to say.
		out.Body = empty{}
	}
	return out
}

// empty is no body that does not look like one.
type empty struct{}

// Read implements io.Reader.
func (empty) Read([]byte) (int, error) { return 0, io.EOF }

// Close implements io.Closer.
func (empty) Close() error { return nil }

func (a *attempt) got(info httptrace.GotConnInfo) {
	c, ok := info.Conn.(*upstreamConn)
	if !ok {
		return
	}
	a.asked, a.wrote, a.read = c.asked.Load(), c.wrote.Load(), c.read.Load()
	// One that was dialled for another request, which then took a third, was
	// idle without having been used.
	kept := info.Reused || info.WasIdle
	a.kept.Store(kept)
	if kept {
		c.reuse(info.IdleTime, a.sure)
	}
	a.conn.Store(c)
}

// unsent tells whether it is certain that the endpoint got nothing: there was
// no connection, or this side's kernel took no byte for it, which is what a
// write reports. Nothing less proves it. That no byte was acknowledged when the
// connection was reset (TCP_INFO, SIOCOUTQ) does not: an endpoint's kernel
// delays acknowledgements, so a process may have read the request, acted on it
// and died before one went out, and the reset itself acknowledges nothing here,
// as Linux looks at the flag before the number. What never left this host would
// be proof (tcpi_bytes_sent), but a request on an idle connection leaves at
// once. So a POST that the kernel took is never sent twice.
func (a *attempt) unsent() bool {
	c := a.conn.Load()
	return c == nil || c.wrote.Load() == a.wrote
}

// spent tells whether the attempt met a connection too old to be used.
func (a *attempt) spent() bool {
	c := a.conn.Load()
	return c != nil && c.spent.Load()
}

// judge classifies the error of a round trip.
func (x *exchange) judge(ctx context.Context, a *attempt, err error) upstream.Outcome {
	switch {
	case clientConnOf(ctx).malformed.Load():
		x.Answer = proxy.BadRequest("the request body is malformed")
		x.Status = x.Answer.Status
		return upstream.Canceled
	case ctx.Err() != nil, x.body.fault() != nil:
		return upstream.Canceled // by the client
	}
	var timeout interface{ Timeout() bool }
	late := errors.As(err, &timeout) && timeout.Timeout()
	switch c := a.conn.Load(); {
	case a.unsent() && late:
		return upstream.ConnectTimedOut
	case a.unsent() && (c != nil || errors.Is(err, syscall.ECONNRESET)):
		return upstream.Reset
	case a.unsent():
		return upstream.ConnectFailed
	case late:
		return upstream.TimedOut
	case c.read.Load() == a.read && a.kept.Load():
		return upstream.Stale
	case c.read.Load() == a.read || broken(err) || c.over.Load():
		// Half a head may well read as a malformed one.
		return upstream.Broken
	}
	return upstream.Invalid
}

// broken tells whether err says that the connection ended.
func broken(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

var errUnasked = errors.New("cannot switch protocols: the endpoint answered 101 to what asked for no WebSocket")

var errUnsolicited = errors.New("cannot use an answer that came before the request was sent")

// check refuses responses that net/http takes and a client must not get.
func (x *exchange) check(res *http.Response, a *attempt) error {
	if c := a.conn.Load(); c != nil && c.asked.Load() == a.asked {
		res.Body.Close()
		_ = c.Close()
		return errUnsolicited
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return nil
	}
	if x.websocket && strings.EqualFold(res.Header.Get("Upgrade"), "websocket") {
		return nil
	}
	res.Body.Close()
	return errUnasked
}

// take notes that res arrived and prepares it for the client.
func (x *exchange) take(res *http.Response) *http.Response {
	x.outcome = upstream.Answered
	x.Head(res.StatusCode)
	if len(x.SetCookie) > 0 {
		res.Header.Add("Set-Cookie", string(x.SetCookie))
	}
	if pipe, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
		x.Upgraded = true
		res.Body = &tunnel{ReadWriteCloser: pipe, x: x}
		return res
	}
	res.Header.Del("Upgrade") // of a connection that the client does not see
	sized := res.ContentLength >= 0 || x.request.ProtoAtLeast(1, 1)
	res.Body = &response{ReadCloser: res.Body, x: x, sized: sized}
	return res
}

// response counts a response body, and sees to it that one that ends early does
// not look whole.
type response struct {
	io.ReadCloser
	x     *exchange
	sized bool // the client can tell where it ends
}

// Read implements io.Reader. The error makes ReverseProxy abort.
func (b *response) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	x := b.x
	x.bytesOut.Add(int64(n))
	if err != nil && err != io.EOF && x.request.Context().Err() == nil {
		x.outcome = upstream.Truncated
		if !b.sized {
			clientConnOf(x.request.Context()).reset()
		}
	}
	return n, err
}

// tunnel counts what an upgraded connection carries.
type tunnel struct {
	io.ReadWriteCloser
	x *exchange
}

// Read implements io.Reader.
func (t *tunnel) Read(p []byte) (int, error) {
	n, err := t.ReadWriteCloser.Read(p)
	t.x.bytesOut.Add(int64(n))
	return n, err
}

// Write implements io.Writer.
func (t *tunnel) Write(p []byte) (int, error) {
	n, err := t.ReadWriteCloser.Write(p)
	t.x.bytesIn.Add(int64(n))
	return n, err
}

// CloseWrite passes on that one side has said all it has to say.
func (t *tunnel) CloseWrite() error {
	if c, ok := t.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
