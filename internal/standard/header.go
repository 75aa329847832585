package standard

import (
	"bytes"
	"net/http"

	"rgate/internal/proxy"
)

// header shows net/http's header to package proxy.
type header http.Header

// Get implements proxy.Header.
func (h header) Get(name string) []byte {
	if values := h[name]; len(values) > 0 {
		return []byte(values[0])
	}
	if values := h[http.CanonicalHeaderKey(name)]; len(values) > 0 {
		return []byte(values[0])
	}
	return nil
}

// Join implements proxy.Header.
func (h header) Join(dst []byte, name string) []byte {
	for i, value := range h[http.CanonicalHeaderKey(name)] {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, value...)
	}
	return dst
}

// Via implements proxy.Header.
func (h header) Via(pseudonym []byte) bool {
	return len(h["Via"]) > 0 && bytes.Contains(h.Join(nil, "Via"), pseudonym)
}

// refusal is the answer to a request that net/http takes and rgate does not;
// nil where there is nothing against it.
func (x *exchange) refusal() *proxy.Answer {
	fields := 0
	for _, values := range x.request.Header {
		fields += len(values)
	}
	if limit := x.engine.gate.Table().Config.Limits.HeaderCount; limit > 0 && fields > limit {
		return tooLarge("the request has too many header fields")
	}
	if x.request.ProtoMajor != 1 {
		return proxy.BadRequest("only HTTP/1 is spoken here")
	}
	if len(x.request.TransferEncoding) > 0 && !x.request.ProtoAtLeast(1, 1) {
		return proxy.BadRequest("HTTP/1.0 knows no Transfer-Encoding")
	}
	return nil
}

func tooLarge(why string) *proxy.Answer {
	return &proxy.Answer{
		Status: http.StatusRequestHeaderFieldsTooLarge, Reason: proxy.ReasonTooLarge,
		ContentType: "text/plain; charset=utf-8", Body: []byte(why + "\n"),
	}
}
