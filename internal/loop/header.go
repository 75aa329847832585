//go:build linux

package loop

import (
	"bytes"

	"rgate/internal/h1"
)

// requestHeader shows a parsed head to package proxy.
type requestHeader struct{ req *h1.Request }

// Get implements proxy.Header.
func (h *requestHeader) Get(name string) []byte {
	for i := range h.req.Fields {
		if f := &h.req.Fields[i]; len(f.Name) == len(name) && foldEqual(f.Name, name) {
			return f.Value
		}
	}
	return nil
}

// Join implements proxy.Header.
func (h *requestHeader) Join(dst []byte, name string) []byte {
	start := len(dst)
	for i := range h.req.Fields {
		if f := &h.req.Fields[i]; len(f.Name) == len(name) && foldEqual(f.Name, name) {
			if len(dst) > start {
				dst = append(dst, ", "...)
			}
			dst = append(dst, f.Value...)
		}
	}
	return dst
}

// foldEqual compares two names of the same length.
func foldEqual(a []byte, b string) bool {
	for i := range a {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z' {
			return false
		}
	}
	return true
}

// appendRequestHead writes the one unambiguous head that goes to the endpoint.
// Framing is rgate's own, and so is everything that says who asked.
func (w *work) appendRequestHead(dst []byte) []byte {
	x, r := &w.x, &w.req
	dst = append(dst, x.Method...)
	dst = append(dst, ' ')
	dst = append(dst, x.Path...)
	dst = append(dst, x.Query...)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, x.Host...)
	dst = append(dst, '\r', '\n')
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Hop {
			continue
		}
		switch f.ID {
		case h1.FieldHost, h1.FieldContentLength, h1.FieldTransferEncoding, h1.FieldForwarded,
			h1.FieldXForwardedFor, h1.FieldXForwardedHost, h1.FieldXForwardedProto, h1.FieldXRequestID:
			continue
		case h1.FieldXForwardedOther, h1.FieldXRealIP:
			if !x.Trusted() {
				continue
			}
		case h1.FieldExpect:
			if !r.Expect100 || w.reqBody.Kind == h1.BodyNone {
				continue
			}
		}
		dst = h1.AppendField(dst, f.Name, f.Value)
	}
	switch {
	case r.Chunked:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case r.ContentLength >= 0:
		dst = h1.AppendContentLength(dst, r.ContentLength)
	}
	dst = append(dst, "X-Forwarded-For: "...)
	dst = x.AppendForwardedFor(dst)
	dst = append(dst, "\r\nX-Forwarded-Host: "...)
	dst = x.AppendForwardedHost(dst)
	dst = append(dst, "\r\nX-Forwarded-Proto: "...)
	dst = x.AppendForwardedProto(dst)
	dst = append(dst, "\r\nForwarded: "...)
	dst = x.AppendForwarded(dst)
	dst = append(dst, "\r\nX-Request-Id: "...)
	dst = append(dst, x.RequestID...)
	return append(dst, "\r\n\r\n"...)
}

// appendResponseHead writes the head that goes to the client.
func (l *loop) appendResponseHead(dst []byte, w *work) []byte {
	p := &w.resp
	dst = appendStatus(dst, p)
	dated := false
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.ID == h1.FieldKeepAlive {
			w.idle = reusable(f.Value)
		}
		if f.Hop || f.ID == h1.FieldContentLength || f.ID == h1.FieldTransferEncoding {
			continue
		}
		dated = dated || f.ID == h1.FieldDate
		dst = h1.AppendField(dst, f.Name, f.Value)
	}
	if len(w.x.SetCookie) > 0 {
		dst = append(dst, "Set-Cookie: "...)
		dst = append(dst, w.x.SetCookie...)
		dst = append(dst, '\r', '\n')
	}
	if !dated {
		dst = append(dst, "Date: "...)
		dst = append(dst, l.currentDate()...)
		dst = append(dst, '\r', '\n')
	}
	switch {
	case w.chunked:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case p.ContentLength >= 0:
		dst = h1.AppendContentLength(dst, p.ContentLength)
	}
	return w.appendConnection(dst)
}

// appendConnection tells the client what becomes of its connection, and ends
// the head.
func (w *work) appendConnection(dst []byte) []byte {
	switch {
	case w.close:
		dst = append(dst, "Connection: close\r\n"...)
	case w.req.KeepAlive:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return append(dst, '\r', '\n')
}

func appendStatus(dst []byte, p *h1.Response) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = append(dst, byte('0'+p.Status/100), byte('0'+p.Status/10%10), byte('0'+p.Status%10), ' ')
	dst = append(dst, p.Reason...)
	return append(dst, '\r', '\n')
}

// appendInterim passes on a 1xx answer.
func appendInterim(dst []byte, p *h1.Response) []byte {
	dst = appendStatus(dst, p)
	for i := range p.Fields {
		if f := &p.Fields[i]; !f.Hop && f.ID != h1.FieldContentLength {
			dst = h1.AppendField(dst, f.Name, f.Value)
		}
	}
	return append(dst, '\r', '\n')
}

// isHead tells whether the answer goes without its body.
func (w *work) isHead() bool { return bytes.Equal(w.req.Method, methodHead) }

var methodHead = []byte("HEAD")
