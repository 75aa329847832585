package standard

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"rgate/internal/proxy"
	"rgate/internal/upstream"
)

// exchange is one request under way: what proxy knows of it and what this
// engine does. It is not pooled: the transport may still read a request body
// for a moment after the handler has returned.
type exchange struct {
	proxy.Exchange
	engine    *Engine
	request   *http.Request // as it came
	body      *body         // nil for none
	outcome   upstream.Outcome
	websocket bool // the client asked for one
	informed  bool // it was for the statistics page

	bytesIn, bytesOut atomic.Int64
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// ServeHTTP implements http.Handler.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.running.begin()
	defer e.running.end()
	x := &exchange{engine: e, request: r}
	c := clientConnOf(r.Context())
	c.answering.Store(true)
	n, limit := c.requests.Add(1), e.gate.Table().Config.Limits.RequestsPerConnection
	if limit > 0 && n >= int64(limit) {
		c.last.Store(true)
	}
	w = &writer{ResponseWriter: w, old: !r.ProtoAtLeast(1, 1), conn: c}
	x.fill()
	defer x.end()
	if a := x.refusal(); a != nil {
		e.gate.Refuse(&x.Exchange, a)
		x.answer(w)
		return
	}
	switch v := e.gate.Begin(&x.Exchange); {
	case v == proxy.Inform:
		x.informed = true
		if c.ending() {
			w.Header().Set("Connection", "close")
		}
		x.Answer = e.inform(&x.Exchange)
		x.answer(w)
	case v == proxy.Reply, v == proxy.Queue && !x.wait():
		x.answer(w)
	default:
		x.forward(w)
	}
}

// fill takes the request into what proxy decides by.
func (x *exchange) fill() {
	r := x.request
	x.Start = time.Now()
	x.Method, x.Target, x.Host = []byte(r.Method), []byte(target(r.RequestURI)), []byte(r.Host)
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		x.Peer = peer.Addr().Unmap()
	}
	x.TLS = r.TLS != nil
	x.Header = header(r.Header)
	if r.ContentLength == 0 {
		return
	}
	x.body = newBody(r.Body, &x.bytesIn)
	x.Exchange.Body = proxy.Streamed
	if r.ContentLength > 0 && r.ContentLength <= maxKept {
		x.Exchange.Body = proxy.Replayable
	}
}

// target is the path and query of a request target (RFC 9112 §3.2).
func target(uri string) string {
	if strings.HasPrefix(uri, "/") || uri == "*" {
		return uri
	}
	_, rest, absolute := strings.Cut(uri, "://")
	at := strings.IndexAny(rest, "/?")
	switch {
	case !absolute:
		return uri
	case at < 0:
		return "/"
	case rest[at] == '?':
		return "/" + rest[at:]
	}
	return rest[at:]
}

// wait lines x up for its backend; false where it may not go on.
func (x *exchange) wait() bool {
	ticket := x.Enqueue(nil)
	if ticket == nil {
		x.Abandoned(nil)
		return false
	}
	patience := time.NewTimer(x.Route.Backend.QueueTime)
	defer patience.Stop()
	select {
	case <-ticket.Ready:
		x.Admitted()
		return true
	case <-patience.C:
		x.Abandoned(ticket)
		return false
	case <-x.request.Context().Done():
		x.Gone(ticket)
		x.outcome = upstream.Canceled
		return false
	}
}

// end records the exchange, also where the handler panics.
func (x *exchange) end() {
	if x.informed {
		return
	}
	if x.body != nil {
		_ = x.body.Close()
	}
	x.BytesIn, x.BytesOut = x.bytesIn.Load(), x.bytesOut.Load()
	x.End(x.outcome, time.Now())
}

// forward sends the request on and its answer back.
func (x *exchange) forward(w http.ResponseWriter) {
	r := x.request
	x.websocket = r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && x.body == nil &&
		len(r.Header["Upgrade"]) == 1 && strings.EqualFold(r.Header["Upgrade"][0], "websocket")
	if !x.websocket {
		r.Header.Del("Upgrade")
		r.Header.Del("Http2-Settings")
	}
	in := r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	if x.body != nil {
		least := x.Table.Config.Limits.BodyProgress
		defer watch(least, &x.bytesIn, &x.body.waiting, func() { _ = clientConnOf(r.Context()).Conn.Close() }).end()
		if r.Trailer == nil {
			r.Trailer = http.Header{} // for trailers that were not announced
		}
		in.Body, in.Trailer = x.body, r.Trailer
		// Else net/http would read all of the body before the response's head.
		_ = http.NewResponseController(w).EnableFullDuplex() // every HTTP/1 writer can
	}
	x.engine.forward.ServeHTTP(w, in)
}

// writer keeps interim answers from clients that do not know them, and
// net/http from adding to an endpoint's answer. Asking for the body is left to
// net/http, which does so when the body is read, so when the endpoint has asked:
// else a client can be asked twice.
type writer struct {
	http.ResponseWriter
	old  bool // HTTP/1.0
	conn *clientConn
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	if status == http.StatusContinue || w.old && status >= 100 && status < 200 {
		return
	}
	if h := w.Header(); status >= 200 {
		if _, told := h["Content-Type"]; !told {
			h["Content-Type"] = nil // or else net/http guesses one
		}
		if w.conn.ending() {
			h.Set("Connection", "close")
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
