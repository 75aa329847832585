//go:build linux

package conformance

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// What rgate answers by itself.
const (
	nowhere       = "nobody is here"
	statisticsSay = "statistics"
)

// judge looks at all that a client heard as the answer to a; false where there
// is no sense in hearing more.
func (v *visit) judge(a *asked, h *heard) bool {
	p := a.plan
	v.tally.add("exchanges")
	foreign := false
	for _, m := range append(h.hints, &h.message, &message{raw: h.behind}) {
		v.look(p, m, "a client")
		foreign = v.foreign(a, m) || foreign
	}
	if foreign {
		return false
	}
	for _, m := range h.hints {
		if why := p.wrongHint(m); why != "" {
			v.fault(p, m, "an interim answer has %s", why)
		}
		v.tally.add(fmt.Sprint("answered ", m.status()))
	}
	if len(h.behind) > 0 {
		v.fault(p, &message{raw: h.behind}, "behind the last answer comes more")
	}
	if errors.Is(h.err, os.ErrDeadlineExceeded) {
		v.fault(p, &h.message, "the answer hangs")
	}
	switch bad, ok := h.err.(illFormed); {
	case ok:
		v.fault(p, &h.message, "an answer has %v", bad)
	case h.fields == nil:
		v.judgeSilence(p, h)
	case h.get("X-Rgate-Reason") != "":
		v.judgeOwn(p, h)
	case p.kind == statistics:
		v.judgeText(p, h, 200, statisticsSay)
	default:
		v.judgeAnswer(a, h)
	}
	return h.err == nil && !h.closes
}

// judgeSilence judges that no answer came, or not even a whole head.
func (v *visit) judgeSilence(p *plan, h *heard) {
	v.tally.add("not answered")
	if p.calm() && p.kind != unreadable && p.kind != oversized && !v.shaky {
		v.fault(p, &h.message, "no answer: %v", h.err)
	}
	v.shaky = true
}

// judgeOwn judges an answer of rgate's own.
func (v *visit) judgeOwn(p *plan, h *heard) {
	s := h.status()
	v.tally.add(fmt.Sprint("refused ", s))
	switch {
	case p.kind == unmatched:
		v.judgeText(p, h, 404, nowhere)
	case p.kind == oversized && s != 431, p.kind == unreadable && s != 400 && s != 501 && s != 505:
		v.fault(p, &h.message, "refused with %d", s)
	case p.kind == statistics, p.kind == forwarded && s < 500 && p.quit == stays:
		v.fault(p, &h.message, "rgate answered by itself with %d", s)
	}
	for _, f := range h.fields {
		if !mayHave(f) && !strings.HasPrefix(f.name, "X-Rgate-") && f.name != "Retry-After" && f.name != "Content-Type" {
			v.fault(p, &h.message, "an answer of rgate's own has the field %q", f)
		}
	}
	if p.body != noBody && p.size > 0 {
		v.shaky = true // what is still sent may destroy what comes
	}
}

func (v *visit) judgeText(p *plan, h *heard, status int, text string) {
	if p.method == "HEAD" {
		text = ""
	}
	if text != "" {
		v.tally.add(text)
	}
	if h.err == nil && (h.status() != status || string(h.body) != text) {
		v.fault(p, &h.message, "not the answer %d %q", status, text)
	}
}

// judgeAnswer judges an endpoint's answer.
func (v *visit) judgeAnswer(a *asked, h *heard) {
	p, m := a.plan, &h.message
	if p.kind != forwarded {
		v.fault(p, m, "an endpoint answered what was not for it")
		return
	}
	got := sum(letter(p.id, '>', p.size))
	if p.answer.early {
		got = "early"
	}
	want := p.answerFields(m.get("X-Endpoint"), got)
	switch {
	case m.status() != p.answer.status:
		v.fault(p, m, "not the status %d", p.answer.status)
	case !strings.HasSuffix(m.start, " Reason "+p.id.String()) && !strings.HasSuffix(m.start, statusTexts[p.answer.status]):
		v.fault(p, m, "not the reason %q", m.start)
	}
	for _, f := range want {
		if !hasField(m.fields, f) {
			v.fault(p, m, "an answer has no field %.100q", f)
		}
	}
	for _, f := range m.fields {
		if !hasField(want, f) && !mayHave(f) && f.name != "Set-Cookie" {
			v.fault(p, m, "an answer has the field %.100q", f)
		}
	}
	v.judgeCookies(a, m)
	v.judgeBody(p, h)
}

// judgeBody judges the body of an endpoint's answer, and how it ends.
func (v *visit) judgeBody(p *plan, h *heard) {
	want := letter(p.id, '<', p.answer.size)
	if p.method == "HEAD" {
		want = nil
	}
	if why := parts(h.body, want); why != "" {
		v.fault(p, &h.message, "in an answer's body %s", why)
	}
	for _, f := range h.trailer {
		if !hasField(p.id.trailer(p.answer.trailer), f) {
			v.fault(p, &h.message, "an answer has the trailer field %q", f)
		}
	}
	switch whole := len(h.body) == len(want); {
	case h.err == nil && whole:
		v.answered(p, h)
	case h.err == nil && p.answer.body == byClose && p.answer.fate == halfBody: // an end like any other
		v.tally.add("broken off")
	case h.err == nil && p.old && v.shaky: // net/http's end of a connection that was handed over
		v.tally.add("broken off")
	case h.err == nil:
		v.fault(p, &h.message, "an answer ends after %d bytes of %d as if it were whole", len(h.body), len(want))
	case p.calm() && !v.shaky:
		v.fault(p, &h.message, "an answer breaks off after %d bytes of %d: %v", len(h.body), len(want), h.err)
	default:
		v.tally.add("broken off")
	}
}

// answered counts an answer that came whole.
func (v *visit) answered(p *plan, h *heard) {
	v.ledger.answered(p, h)
	v.tally.add("answered")
	v.tally.add("answered by " + p.answer.body.String())
	v.tally.add("request body by " + p.body.String())
	for what, is := range map[string]bool{
		"HTTP/1.0": p.old, "HEAD": p.method == "HEAD", "trailer": len(h.trailer) > 0, "early": p.answer.early,
		"slow reader": p.slowReader, "expectation": p.expect, "connection reused": h.closes == false,
		"sticky": p.route == stickyRoute, "queue": p.route == narrowRoute,
	} {
		if is {
			v.tally.add(what)
		}
	}
	if p.last && !h.closes {
		v.fault(p, &h.message, "the last answer does not say so")
	}
}

// judgeCookies: a client is told of the endpoint that it was sent to, by the
// cookie of that one, and only where its own cookie says another.
func (v *visit) judgeCookies(a *asked, m *message) {
	told := ""
	for _, f := range m.fields {
		if f.name == "Set-Cookie" && !strings.HasPrefix(f.value, "own=") {
			if told != "" {
				v.fault(a.plan, m, "two sticky cookies")
			}
			told = f.value
		}
	}
	endpoint := m.get("X-Endpoint")
	switch value, _, _ := strings.Cut(told, ";"); {
	case a.route != stickyRoute && told != "":
		v.fault(a.plan, m, "a sticky cookie on another route")
	case a.route != stickyRoute:
	case told == "" && v.cookies.owner(a.cookie) != endpoint:
		v.fault(a.plan, m, "no sticky cookie, though the client had that of %q", v.cookies.owner(a.cookie))
	case told == "":
		v.tally.add("stuck")
	case v.cookies.owner(a.cookie) == endpoint:
		v.tally.add("told again") // the endpoint came while the exchange ran
	case !v.cookies.learn("; "+value, endpoint):
		v.fault(a.plan, m, "the sticky cookie %q of another endpoint", value)
	default:
		v.cookie = "; " + value
	}
}

// wrongHint says what is wrong with an interim answer; "" for nothing.
func (p *plan) wrongHint(m *message) string {
	for _, f := range m.fields {
		if m.status() != 103 || f != (field{"Link", "<" + p.id.String() + ">"}) {
			return fmt.Sprintf("the field %q", f)
		}
	}
	switch {
	case m.status() == 103 && p.answer.hints > 0 && !p.old:
	case m.status() == 100 && p.expect:
	default:
		return fmt.Sprintf("the status %d", m.status())
	}
	return ""
}

// mayHave tells whether rgate may send f with an answer that has none such.
func mayHave(f field) bool {
	switch strings.ToLower(f.name) {
	case "date", "connection", "content-length", "transfer-encoding", "trailer", "via", "x-request-id":
		return true
	}
	return false
}

var statusTexts = map[int]string{
	200: "OK", 201: "Created", 204: "No Content", 304: "Not Modified", 404: "Not Found", 500: "Internal Server Error",
}
