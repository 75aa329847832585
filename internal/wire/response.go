package wire

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"rgate/internal/h1"
	"rgate/internal/proxy"
)

// MaxInterim bounds the 1xx answers that go before a final one: an endpoint
// that sends more of them is taken to have no other.
const MaxInterim = 100

// Why an answer's head cannot be passed on, though it can be read.
var (
	errInterims = fmt.Errorf("more than %d answers of 1xx came, and no final one", MaxInterim)
	errUnasked  = errors.New("the endpoint answered 101 to what asked for no WebSocket")
)

// CheckResponse tells why p, which came after interims answers of 1xx (itself
// among them), is not for the client.
func CheckResponse(p *h1.Response, interims int, websocket bool) error {
	switch {
	case interims > MaxInterim:
		return errInterims
	case p.Upgrade && !(websocket && namesWebSocket(p.Fields)):
		return errUnasked
	}
	return nil
}

// strictTransport has clients come with TLS alone (RFC 6797).
const strictTransport = "Strict-Transport-Security"

// says tells whether p has a field of that name that goes on.
func says(p *h1.Response, name string) bool {
	for i := range p.Fields {
		if !p.Fields[i].Hop && strings.EqualFold(string(p.Fields[i].Name), name) {
			return true
		}
	}
	return false
}

// Ending says how an answer ends, and what becomes of the client's connection.
type Ending struct {
	Chunked   bool // in chunks of rgate's making
	Close     bool // the connection ends with the answer
	KeepAlive bool // the client waits to be told that it does not
}

// AppendResponseHead appends the head of an endpoint's answer for the client.
// keep is how long the endpoint's connection may be used again, going by its
// Keep-Alive: 0 where nothing is said, and negative for not at all.
func AppendResponseHead(dst []byte, x *proxy.Exchange, p *h1.Response, end Ending, date []byte) (head []byte, keep time.Duration) {
	dst = appendStatus(dst, p)
	dated, edits, moved := false, x.ResponseEdits(), len(x.Rewrites()) > 0
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.ID == h1.FieldKeepAlive {
			keep = reusable(f.Value)
		}
		if f.Hop || f.ID == h1.FieldContentLength || f.ID == h1.FieldTrailer && !end.Chunked {
			continue // no trailer section follows but behind chunks
		}
		if edits != nil && edits.Drops(f.Name) || x.Web && f.ID == h1.FieldTrailer {
			continue
		}
		if x.Web && f.ID == h1.FieldContentType {
			dst = appendType(dst, f, typeGRPC, webType(x))
			continue
		}
		dated = dated || f.ID == h1.FieldDate
		if moved && namesPath(f) {
			dst = appendRestored(dst, x, f)
			continue
		}
		dst = h1.AppendField(dst, f.Name, f.Value)
	}
	if p.Status == 408 {
		// It may have been on its way before the request was, whose own answer
		// would be the next request's.
		keep = -1
	}
	if edits != nil {
		dst = edits.Append(dst, x, func(name string) bool { return says(p, name) })
	}
	if x.HSTS != "" && !says(p, strictTransport) && !edits.Says(strictTransport) {
		dst = append(append(dst, strictTransport...), ": "...)
		dst = append(dst, x.HSTS...)
		dst = append(dst, '\r', '\n')
	}
	if len(x.SetCookie) > 0 {
		dst = append(dst, "Set-Cookie: "...)
		dst = append(dst, x.SetCookie...)
		dst = append(dst, '\r', '\n')
	}
	if !dated {
		dst = append(dst, "Date: "...)
		dst = append(dst, date...)
		dst = append(dst, '\r', '\n')
	}
	switch {
	case p.Upgrade:
		dst = append(dst, upgraded...)
		return append(dst, '\r', '\n'), keep
	case end.Chunked:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case p.ContentLength >= 0:
		dst = h1.AppendContentLength(dst, p.ContentLength)
	}
	return end.append(dst), keep
}

// append tells the client what becomes of its connection, and ends the head.
func (e Ending) append(dst []byte) []byte {
	switch {
	case e.Close:
		dst = append(dst, "Connection: close\r\n"...)
	case e.KeepAlive:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return append(dst, '\r', '\n')
}

// reusable is how long a connection may be used again whose endpoint sent this
// Keep-Alive field: a second less than it says, so that no request meets the
// close on its way.
func reusable(keepAlive []byte) time.Duration {
	d, ok := h1.KeepAliveTimeout(keepAlive)
	switch {
	case !ok:
		return 0
	case d <= time.Second:
		return -1
	}
	return d - time.Second
}

func appendStatus(dst []byte, p *h1.Response) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = append(dst, byte('0'+p.Status/100), byte('0'+p.Status/10%10), byte('0'+p.Status%10), ' ')
	dst = append(dst, p.Reason...)
	return append(dst, '\r', '\n')
}

// AppendInterim appends a 1xx answer for a client that knows them. What is taken
// out of answers is taken out of it, and nothing is added.
func AppendInterim(dst []byte, x *proxy.Exchange, p *h1.Response) []byte {
	dst = appendStatus(dst, p)
	edits := x.ResponseEdits()
	for i := range p.Fields {
		if f := &p.Fields[i]; !f.Hop && f.ID != h1.FieldContentLength && !edits.Drops(f.Name) {
			dst = h1.AppendField(dst, f.Name, f.Value)
		}
	}
	return append(dst, '\r', '\n')
}

// AppendBody appends a piece of a body, as a chunk where it goes out in chunks.
func AppendBody(dst, data []byte, chunked bool) []byte {
	if len(data) == 0 || !chunked {
		return append(dst, data...)
	}
	dst = h1.AppendChunkHeader(dst, len(data))
	dst = append(dst, data...)
	return append(dst, '\r', '\n')
}

// FrameRoom is what a chunk's framing takes besides its data.
const FrameRoom = 64
