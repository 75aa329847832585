package traffic

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Kind is one of the four sorts of requests, which come in turn.
type Kind struct {
	Method string
	Keep   bool // on kept-alive connections, else one connection per request
}

// Kinds are all sorts.
var Kinds = [...]Kind{
	{http.MethodGet, true}, {http.MethodPost, true}, {http.MethodGet, false}, {http.MethodPost, false},
}

// bodySize is that of a POST.
const bodySize = 100

// Request is one request of a load.
type Request struct {
	Kind
	ID  string    // in path, header and body, so that an answer shows whose it is
	Due time.Time // when it was to be sent; its latency counts from here
}

// body is what a POST carries.
func (r Request) body() string {
	if r.Method != http.MethodPost {
		return ""
	}
	return (r.ID + strings.Repeat(".", bodySize))[:bodySize]
}

// bytes are the request as it is sent.
func (r Request) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s /echo/%s HTTP/1.1\r\nHost: soak.test\r\nX-Request-Id: %s\r\n", r.Method, r.ID, r.ID)
	if !r.Keep {
		b.WriteString("Connection: close\r\n")
	}
	if body := r.body(); body != "" {
		fmt.Fprintf(&b, "Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	} else {
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// check tells what is wrong with an answer of the test server's /echo, which
// is the request's head and body as they reached it.
func (r Request) check(status int, body []byte) error {
	if status != http.StatusOK {
		return fmt.Errorf("status %d: %.60q", status, body)
	}
	line := fmt.Sprintf("%s /echo/%s HTTP/1.1\r\n", r.Method, r.ID)
	head, echoed, ok := bytes.Cut(body, []byte("\r\n\r\n"))
	if !ok || !bytes.HasPrefix(head, []byte(line)) || string(echoed) != r.body() {
		return fmt.Errorf("the answer is another request's: %.120q", body)
	}
	return nil
}

// Result is what became of a request.
type Result struct {
	Request
	Sent, Answered time.Time // first byte written; all read, or given up
	Status         int       // 0 for no answer
	Reason         string    // X-Rgate-Reason
	ServedBy       string    // X-Served-By: the container
	Retried        bool      // by the client, as RFC 9110 §9.2.2 lets it
	Err            error     // nil where all was well
}

// Latency is the time from when the request was due.
func (r Result) Latency() time.Duration { return r.Answered.Sub(r.Due) }
