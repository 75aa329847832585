//go:build linux

package loop

import (
	"errors"
	"net/http"
	"strconv"

	"rgate/internal/h1"
	"rgate/internal/proxy"
	"rgate/internal/upstream"
)

const plainText = "text/plain; charset=utf-8"

var answerSlow = &proxy.Answer{
	Status: http.StatusRequestTimeout, Reason: proxy.ReasonBadRequest,
	ContentType: plainText, Body: []byte("the request did not come in time\n"),
}

var answerCrowd = &proxy.Answer{
	Status: http.StatusServiceUnavailable, Reason: proxy.ReasonOverload, RetryAfter: true,
	ContentType: plainText, Body: []byte("too many connections\n"),
}

// refusal is the answer to a request that the parser refused.
func refusal(err error) *proxy.Answer {
	var e *h1.Error
	if !errors.As(err, &e) {
		return proxy.BadRequest(err.Error())
	}
	a := proxy.BadRequest(e.Text)
	switch a.Status = e.Status; e.Status {
	case http.StatusRequestHeaderFieldsTooLarge:
		a.Reason = proxy.ReasonTooLarge
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		a.Reason = proxy.ReasonUnsupport
	}
	return a
}

// refuse answers a request that could not be read, and closes after it: nobody
// knows where the next one would begin.
func (l *loop) refuse(c *conn, a *proxy.Answer) {
	w := c.work
	if !w.begun {
		w.x.Client, w.x.Start = c.addr, l.now
		w.begun = true
		l.engine.gate.Refuse(&w.x, a)
	} else {
		w.x.Answer, w.x.Status = a, a.Status
		l.record(w, upstream.Canceled) // whatever endpoint it went to is not to blame
	}
	w.close, w.reqDone = true, false
	l.answer(c)
}

// answer begins to send x.Answer. What the client's request still holds is
// skipped where it is here already; otherwise the connection closes.
func (l *loop) answer(c *conn) {
	w := c.work
	if w.origin != nil {
		l.discard(w.origin)
		w.origin = nil
	}
	for !w.reqDone && !w.close {
		_, n, done, err := w.reqBody.Next(w.in.pending())
		w.in.take(n, w.keep)
		if done && err == nil {
			w.reqDone = true
		} else if n == 0 || err != nil {
			w.close = true
		}
	}
	w.close = w.close || l.engine.stopping.Load()
	l.need(&w.out)
	a := w.x.Answer
	bodiless := a.Status < 200 || a.Status == http.StatusNoContent || a.Status == http.StatusNotModified
	dst := h1.AppendStatusLine(w.out.b, a.Status)
	dst = append(dst, "Date: "...)
	dst = append(dst, l.currentDate()...)
	if !bodiless {
		dst = append(dst, "\r\nContent-Type: "...)
		dst = append(dst, a.ContentType...)
		dst = append(dst, "\r\nContent-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(a.Body)), 10)
	}
	dst = append(dst, "\r\nX-Request-Id: "...)
	dst = append(dst, w.x.RequestID...)
	dst = append(dst, '\r', '\n')
	if l.cfg.ReasonHeader {
		dst = append(dst, "X-Rgate-Reason: "...)
		dst = append(dst, a.Reason...)
		dst = append(dst, '\r', '\n')
	}
	if a.RetryAfter {
		dst = append(dst, "Retry-After: 1\r\n"...)
	}
	dst = w.appendConnection(dst)
	if !bodiless && !w.isHead() {
		dst = append(dst, a.Body...)
		w.x.BytesOut = int64(len(a.Body))
	}
	w.out.b = dst
	c.phase = phaseFlush
	l.wheel.set(&c.timer, l.now, l.cfg.Timeouts.Idle)
}

// flushAnswer sends an answer of rgate's own.
func (l *loop) flushAnswer(c *conn) bool {
	w := c.work
	if !l.pushResponse(c) {
		return false
	}
	if !w.out.empty() {
		return false
	}
	// The last attempt was settled when it failed: there is none to end.
	l.record(w, upstream.None)
	l.finish(c)
	return true
}
