package wire

import (
	"strconv"

	"rgate/internal/h1"
	"rgate/internal/proxy"
)

const plainText = "text/plain; charset=utf-8"

var contentType, retryAfter = []byte("Content-Type"), []byte("Retry-After")

// The answers of rgate's own that an engine gives without asking package proxy.
var (
	// AnswerSlow is for a request, or a body, that does not come.
	AnswerSlow = &proxy.Answer{
		Status: 408, Reason: proxy.ReasonBadRequest,
		ContentType: plainText, Body: []byte("the request did not come in time\n"),
	}
	// AnswerCrowd is for a connection above the limits.
	AnswerCrowd = &proxy.Answer{
		Status: 503, Reason: proxy.ReasonOverload, RetryAfter: true,
		ContentType: plainText, Body: []byte("too many connections\n"),
	}
	// AnswerPlain is for a request in the clear where TLS is spoken.
	AnswerPlain = &proxy.Answer{
		Status: 400, Reason: proxy.ReasonBadRequest,
		ContentType: plainText, Body: []byte("this port speaks TLS: ask with https://\n"),
	}
	// AnswerVersion is for HTTP/1.1 where HTTP/2 alone is spoken.
	AnswerVersion = &proxy.Answer{
		Status: 505, Reason: proxy.ReasonUnsupport,
		ContentType: plainText, Body: []byte("this port speaks HTTP/2 alone\n"),
	}
	// AnswerUnable is for what this engine cannot do.
	AnswerUnable = &proxy.Answer{
		Status: 501, Reason: proxy.ReasonUnsupport,
		ContentType: plainText, Body: []byte("this engine cannot do that\n"),
	}
)

// refusals are the answers to what the parser refuses.
var refusals = answersTo(h1.Refusals())

func answersTo(all []*h1.Error) map[*h1.Error]*proxy.Answer {
	answers := map[*h1.Error]*proxy.Answer{}
	for _, e := range all {
		answers[e] = answerTo(e)
	}
	return answers
}

func answerTo(e *h1.Error) *proxy.Answer {
	a := proxy.BadRequest(e.Text)
	switch a.Status = e.Status; e.Status {
	case 400:
	case 431:
		a.Reason = proxy.ReasonTooLarge
	default:
		a.Reason = proxy.ReasonUnsupport // 417, 501, 505
	}
	return a
}

// Refusal is the answer to a request that the parser refused with err.
func Refusal(err error) *proxy.Answer {
	if e, ok := err.(*h1.Error); ok {
		if a := refusals[e]; a != nil {
			return a
		}
		return answerTo(e)
	}
	return proxy.BadRequest(err.Error())
}

// AppendAnswer appends x.Answer whole, and counts its body in x.BytesOut. It is
// never in chunks.
func AppendAnswer(dst []byte, x *proxy.Exchange, end Ending, date []byte) []byte {
	a := x.Answer
	bodiless := a.Status < 200 || a.Status == 204 || a.Status == 304
	dst = h1.AppendStatusLine(dst, a.Status)
	dst = append(dst, "Date: "...)
	dst = append(dst, date...)
	edits := x.ResponseEdits()
	if !bodiless {
		if edits == nil || !edits.Drops(contentType) {
			dst = append(dst, "\r\nContent-Type: "...)
			dst = append(dst, a.ContentType...)
		}
		dst = append(dst, "\r\nContent-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(a.Body)), 10)
	}
	dst = append(dst, "\r\nX-Request-Id: "...)
	dst = append(dst, x.RequestID...)
	dst = append(dst, '\r', '\n')
	if a.Reason != "" && x.Table.Config.ReasonHeader {
		dst = append(dst, "X-Rgate-Reason: "...)
		dst = append(dst, a.Reason...)
		dst = append(dst, '\r', '\n')
	}
	if x.HSTS != "" && !edits.Says(strictTransport) {
		dst = append(append(dst, strictTransport...), ": "...)
		dst = append(dst, x.HSTS...)
		dst = append(dst, '\r', '\n')
	}
	if edits != nil {
		dst = edits.Append(dst, x, a.Says)
	}
	for i := range a.Fields {
		if edits != nil && edits.Drops([]byte(a.Fields[i][0])) {
			continue
		}
		dst = append(dst, a.Fields[i][0]...)
		dst = append(dst, ':', ' ')
		dst = append(dst, a.Fields[i][1]...)
		dst = append(dst, '\r', '\n')
	}
	if a.RetryAfter && !edits.Drops(retryAfter) {
		dst = append(dst, "Retry-After: 1\r\n"...)
	}
	dst = end.append(dst)
	if !bodiless && string(x.Method) != "HEAD" {
		dst = append(dst, a.Body...)
		x.BytesOut = int64(len(a.Body))
	}
	return dst
}
