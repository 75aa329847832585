package standard

import (
	"net/http"
	"strconv"

	"rgate/internal/upstream"
)

// answer sends x.Answer, or drops the connection where there is none because
// the client is gone.
func (x *exchange) answer(w http.ResponseWriter) {
	a := x.Answer
	if a == nil {
		panic(http.ErrAbortHandler)
	}
	x.describe(w.Header())
	w.WriteHeader(a.Status)
	if x.request.Method != http.MethodHead && bodyAllowed(a.Status) {
		n, _ := w.Write(a.Body) // a client that left misses nothing
		x.bytesOut.Add(int64(n))
	}
}

// describe fills the header of an answer of rgate's own.
func (x *exchange) describe(h http.Header) {
	a := x.Answer
	if bodyAllowed(a.Status) {
		h.Set("Content-Type", a.ContentType)
		h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	h.Set("X-Request-Id", string(x.RequestID))
	for _, field := range a.Fields {
		h.Set(field[0], field[1])
	}
	if a.Reason != "" && x.Table.Config.ReasonHeader {
		h.Set("X-Rgate-Reason", a.Reason)
	}
	if a.RetryAfter {
		h.Set("Retry-After", "1")
	}
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// failed is ReverseProxy's error handler: no response is there to be sent.
func failed(w http.ResponseWriter, r *http.Request, _ error) {
	x := exchangeOf(r.Context())
	if x.outcome == upstream.Answered {
		panic(http.ErrAbortHandler) // an upgrade that could not be carried out: the status is out
	}
	x.answer(w)
}
