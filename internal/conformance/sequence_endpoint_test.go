//go:build linux

package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// actor is an endpoint that plays its part of each exchange's plan, and looks
// at whatever reaches it.
type actor struct {
	*sequences
	name string
}

// serve plays on one connection.
func (e *actor) serve(c net.Conn) {
	in := bufio.NewReader(c)
	for e.play(c, in) {
	}
}

// play is one exchange; false where the connection ends with it.
func (e *actor) play(c net.Conn, in *bufio.Reader) bool {
	m := &message{}
	err := m.readHead(in)
	if len(m.raw) == 0 {
		return false
	}
	p := e.recognize(m, err)
	if p == nil || err != nil {
		return false
	}
	d := throw(e.seed, forEndpoint|uint64(p.id))
	attempt := e.tries.count(p.id)
	doomed := attempt <= p.answer.failures
	if doomed && p.answer.fate == noHead && d.oneIn(2) {
		return e.forsake(c, d)
	}
	if p.kind == upgrade {
		return e.echo(c, in, p)
	}
	got := "early"
	if !p.answer.early {
		if !e.takeBody(c, in, m, p) {
			return false
		}
		got = sum(m.body)
	}
	if !e.answer(c, p, got, doomed, d) {
		return false
	}
	if p.answer.early {
		if p.answer.ignores || !e.takeBody(c, in, m, p) {
			return false
		}
	}
	return p.answer.body != byClose && !p.answer.last && e.goOn(c, in, p, d)
}

// recognize looks at a head that came; nil where nobody can say whose it is.
func (e *actor) recognize(m *message, err error) *plan {
	all := identities(m.raw)
	if len(all) == 0 {
		if poisoned(m.raw) || err == nil {
			e.fault(nil, m, "an endpoint got a request of nobody")
		}
		return nil
	}
	p := planOf(e.seed, all[0])
	e.look(p, m, "an endpoint")
	if bad, ok := err.(illFormed); ok {
		e.fault(p, m, "an endpoint got %v", bad)
	}
	if err == nil {
		if why := p.wrongRequest(m, e.proto); why != "" {
			e.fault(p, m, "an endpoint got %s", why)
		}
	}
	return p
}

// takeBody reads the body; false where it does not come to its end.
func (e *actor) takeBody(c net.Conn, in *bufio.Reader, m *message, p *plan) bool {
	if m.get("Expect") != "" && !p.impatient && !p.answer.early {
		if _, err := io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return false
		}
	}
	err := m.readBody(in, m.framing())
	e.look(p, m, "an endpoint")
	if bad, ok := err.(illFormed); ok {
		e.fault(p, m, "an endpoint got %v", bad)
	}
	want := letter(p.id, '>', p.size)
	if why := parts(m.body, want); why != "" {
		e.fault(p, m, "in a request's body %s", why)
	} else if err == nil && len(m.body) != len(want) {
		e.fault(p, m, "a request's body ends after %d bytes of %d", len(m.body), len(want))
	}
	for _, f := range m.trailer {
		if !hasField(p.id.trailer(p.trailer), f) {
			e.fault(p, m, "a request has the trailer field %q", f)
		}
	}
	return err == nil
}

// answer sends the planned answer; false where the connection is over with it.
func (e *actor) answer(c net.Conn, p *plan, got string, doomed bool, d dice) bool {
	r := p.render(e.seed, e.name, got)
	raw := slices.Concat(r.hints, r.head, r.body)
	end := len(raw)
	if doomed && p.answer.fate == stalls {
		_, _ = c.Write(r.hints)
		time.Sleep(responseHeader + time.Duration(d.IntN(300))*time.Millisecond)
		_, _ = c.Write(raw)
		return d.oneIn(2)
	}
	if doomed {
		switch p.answer.fate {
		case noHead:
			end = len(r.hints)
		case halfHead:
			end = len(r.hints) + d.IntN(len(r.head))
		case halfBody:
			end = len(r.hints) + len(r.head) + d.IntN(len(r.body)+1)
		}
	}
	pieces := d.cut(raw[:end], p.answer.pieces)
	blurt, joined := "", false
	if p.answer.after == blurts && !doomed {
		blurt = e.unasked.next(p, d)
		last := slices.Concat(pieces[len(pieces)-1], []byte(blurt))
		pieces[len(pieces)-1], joined = last, len(last) < 12<<10
		defer e.unasked.said(blurt, joined)
	}
	for i, piece := range pieces {
		if i > 0 {
			time.Sleep(d.pause())
		}
		if _, err := c.Write(piece); err != nil {
			return false
		}
	}
	switch {
	case doomed:
		return e.forsake(c, d)
	case joined && !p.answer.early:
		e.mustNotBeReused(c, p)
	}
	return blurt == ""
}

// mustNotBeReused listens for a moment: behind more than an answer nobody may
// send another request.
func (e *actor) mustNotBeReused(c net.Conn, p *plan) {
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	m := &message{raw: make([]byte, 300)}
	if n, _ := c.Read(m.raw); n > 0 {
		e.fault(p, m, "a connection is used again on which more than an answer came")
	}
}

// forsake ends the connection one way or the other.
func (e *actor) forsake(c net.Conn, d dice) bool {
	if d.oneIn(2) {
		forget(c)
	}
	return false
}

// goOn is what comes behind an answer; false where that is the end.
func (e *actor) goOn(c net.Conn, in *bufio.Reader, p *plan, d dice) bool {
	switch p.answer.after {
	case leaves: // in order: else what was written could be lost
		return false
	case leavesLater:
		time.Sleep(d.pause())
		return false
	case blurtsLater:
		time.Sleep(d.pause())
		if in.Buffered() > 0 {
			return true
		}
		blurt := e.unasked.next(p, d)
		_, _ = io.WriteString(c, blurt)
		e.unasked.said(blurt, false)
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, _ = io.Copy(io.Discard, in) // closing on unread bytes would take the blurt back
		return false
	}
	return true
}

// wrongRequest says what is wrong with the head of a request that came by proto;
// "" for nothing.
func (p *plan) wrongRequest(m *message, proto string) string {
	switch {
	case p.id.moot():
		return "what stood behind the last request of a connection"
	case p.kind != forwarded && p.kind != upgrade:
		return "what was not for it"
	case m.start != fmt.Sprintf("%s %s HTTP/1.1", p.method, p.straightPath()):
		return fmt.Sprintf("the request line %q", m.start)
	}
	want := p.fields("")
	for _, f := range want {
		if f.name != "Cookie" && !hasField(m.fields, f) {
			return "no field " + f.name
		}
	}
	for _, f := range m.fields {
		if !hasField(want, f) && !p.mayGet(f, proto) {
			return fmt.Sprintf("the field %q: %q", f.name, f.value)
		}
	}
	return ""
}

// mayGet tells whether an endpoint may get f besides what the client sent.
func (p *plan) mayGet(f field, proto string) bool {
	host := p.id.String() + ".test"
	switch strings.ToLower(f.name) {
	case "x-forwarded-for":
		return f.value == p.id.client()
	case "x-forwarded-host":
		return f.value == host
	case "x-forwarded-proto":
		return f.value == proto
	case "forwarded":
		return f.value == fmt.Sprintf("for=%s;host=%q;proto=%s", p.id.client(), host, proto)
	case "x-request-id":
		return !p.ownID || f.value == p.id.String()
	case "cookie":
		return strings.HasPrefix(f.value, "own="+p.id.String())
	case "expect":
		return p.expect && f.value == "100-continue"
	case "content-length":
		return p.body != byChunks && f.value == fmt.Sprint(p.size)
	case "transfer-encoding":
		return p.body == byChunks
	case "trailer":
		return p.body == byChunks
	case "connection", "upgrade":
		return p.kind == upgrade
	case "via":
		return true
	}
	return false
}

func hasField(all []field, f field) bool {
	return slices.ContainsFunc(all, func(g field) bool { return strings.EqualFold(f.name, g.name) && f.value == g.value })
}

// echo switches protocols and says what it hears.
func (e *actor) echo(c net.Conn, in *bufio.Reader, p *plan) bool {
	id := p.id.String()
	head := "HTTP/1.1 101 Switching " + id + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Identity: " + id + "\r\n\r\n"
	if _, err := io.WriteString(c, head); err != nil {
		return false
	}
	want, heard := letter(p.id, '>', p.size), []byte(nil)
	b := make([]byte, 8<<10)
	for {
		n, err := in.Read(b)
		heard = append(heard, b[:n]...)
		if why := parts(heard, want); why != "" {
			e.fault(p, &message{raw: heard}, "an endpoint that echoes hears %s", why)
			return false
		}
		if _, werr := c.Write(b[:n]); err != nil || werr != nil {
			return false
		}
	}
}
