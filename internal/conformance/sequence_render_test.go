//go:build linux

package conformance

import (
	"fmt"
	"strings"
)

// The purposes of dice besides identities.
const (
	forRequest uint64 = (iota + 1) << 32
	forAnswer
	forConnection
	forClient
	forEndpoint
	forEcho
	forReload
	forHalfClose
)

// filler is n bytes of fields, some of them long.
func (id identity) filler(n int) (all []field) {
	for i := 0; n > 0; i++ {
		length := min(n, 3000+i*700)
		all = append(all, field{fmt.Sprintf("X-Fill-%d", i), string(letter(id, '=', length))})
		n -= length
	}
	for i := range all {
		all[i].value = strings.TrimSpace(strings.ReplaceAll(all[i].value, "\n", " "))
	}
	return all
}

func (id identity) trailer(n int) (all []field) {
	for i := range n {
		all = append(all, field{fmt.Sprintf("X-Trailer-%d", i), strings.TrimSpace(strings.Repeat(id.String()+" ", 1+i*40))})
	}
	return all
}

// fields are what the client sends from end to end.
func (p *plan) fields(cookie string) []field {
	id := p.id.String()
	all := []field{{"Host", id + ".test"}, {"Authorization", "Bearer " + id}, {"Cookie", "own=" + id + cookie}}
	all = append(all, p.id.filler(p.filler)...)
	if p.json {
		all = append(all, field{"Accept", "application/json"})
	}
	return all
}

// request is what the client sends, in two parts.
func (p *plan) request(seed uint64, cookie string) (head, body []byte) {
	switch p.kind {
	case unreadable:
		return p.spoilt(throw(seed, forRequest|uint64(p.id))), nil
	case oversized:
		return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: x\r\nX-Large: %s\r\n\r\n", p.path(), strings.Repeat(p.id.String(), 8<<10)), nil
	}
	minor := 1
	if p.old {
		minor = 0
	}
	head = fmt.Appendf(nil, "%s %s HTTP/1.%d\r\n", p.method, p.path(), minor)
	head = appendFields(head, p.fields(cookie))
	head = appendFields(head, p.hopFields())
	sent := letter(p.id, '>', p.size)
	switch p.body {
	case byLength:
		head = fmt.Appendf(head, "Content-Length: %d\r\n", p.size)
		body = sent
	case byChunks:
		head = append(head, "Transfer-Encoding: chunked\r\n"...)
		body = appendChunks(nil, sent, p.extensionText(p.extension), p.id.trailer(p.trailer), throw(seed, forRequest|uint64(p.id)))
	}
	return append(head, "\r\n"...), body
}

// hopFields are those that are not for the endpoint, or not as they are.
func (p *plan) hopFields() (all []field) {
	var options []string
	switch {
	case p.kind == upgrade:
		options = append(options, "Upgrade")
		all = append(all, field{"Upgrade", "websocket"})
	case p.keep:
		options = append(options, "keep-alive")
	case p.last:
		options = append(options, "close")
	}
	if p.nominated {
		options = append(options, "X-Hop")
		all = append(all, field{"X-Hop", p.id.String()})
	}
	if len(options) > 0 {
		all = append(all, field{"Connection", strings.Join(options, ", ")})
	}
	if p.ownID {
		all = append(all, field{"X-Request-Id", p.id.String()})
	}
	if p.expect {
		all = append(all, field{"Expect", "100-continue"})
	}
	return all
}

func (p *plan) extensionText(wanted bool) string {
	if !wanted {
		return ""
	}
	return ";by=" + p.id.String()
}

// spoilt is a request that both engines refuse.
func (p *plan) spoilt(d dice) []byte {
	id := p.id.String()
	rest := "\r\nAuthorization: " + id + "\r\n"
	host := "Host: " + id
	start := "GET " + p.path() + " HTTP/1.1\r\n"
	return []byte(pick(d,
		start+host+rest+"A: \x00\r\n\r\n",
		start+host+rest+"A : b\r\n\r\n",
		start+"A: b"+rest+"\r\n",
		start+host+"\r\nHost: y"+rest+"\r\n",
		"POST "+p.path()+" HTTP/1.1\r\n"+host+rest+"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"POST "+p.path()+" HTTP/1.1\r\n"+host+rest+"Content-Length: 99999999999999999999\r\n\r\n"+id,
		"GET "+p.path()+" HTTP/2.0\r\n"+host+rest+"\r\n",
		"GET /../"+id+" HTTP/1.1\r\n"+host+rest+"Connection: close\r\n\r\n",
		"CONNECT "+id+":1 HTTP/1.1\r\n"+host+":1"+rest+"Connection: close\r\n\r\n",
	))
}

// rendered is an answer in its parts.
type rendered struct{ hints, head, body []byte }

// answerFields are those of the endpoint, from end to end.
func (p *plan) answerFields(endpoint, got string) []field {
	id := p.id.String()
	all := []field{{"X-Identity", id}, {"X-Endpoint", endpoint}, {"X-Got", got}, {"Set-Cookie", "own=" + id}}
	if p.answer.status != 204 && p.answer.status != 304 {
		all = append(all, field{"Content-Type", "text/x-" + id})
	}
	return append(all, p.id.filler(p.answer.filler)...)
}

func (p *plan) render(seed uint64, endpoint, got string) rendered {
	a, id := &p.answer, p.id.String()
	var r rendered
	for range a.hints {
		r.hints = fmt.Appendf(r.hints, "HTTP/1.1 103 Early Hints\r\nLink: <%s>\r\n\r\n", id)
	}
	h := fmt.Appendf(nil, "HTTP/1.1 %d Reason %s\r\n", a.status, id)
	h = appendFields(h, p.answerFields(endpoint, got))
	if a.dated {
		h = append(h, "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"...)
	}
	if a.keepAlive > 0 {
		h = fmt.Appendf(h, "Keep-Alive: timeout=%d\r\n", a.keepAlive)
	}
	if a.last {
		h = append(h, "Connection: close\r\n"...)
	}
	sent := letter(p.id, '<', a.size)
	switch a.body {
	case byLength:
		h = fmt.Appendf(h, "Content-Length: %d\r\n", a.size)
		r.body = sent
	case byChunks:
		h = append(h, "Transfer-Encoding: chunked\r\n"...)
		r.body = appendChunks(nil, sent, p.extensionText(a.extension), p.id.trailer(a.trailer), throw(seed, forAnswer|uint64(p.id)))
	case byClose:
		r.body = sent
	}
	if p.method == "HEAD" {
		r.body = nil
	}
	r.head = append(h, "\r\n"...)
	return r
}
