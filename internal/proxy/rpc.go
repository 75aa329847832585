package proxy

import (
	"bytes"
	"strconv"
	"time"

	"rgate/internal/upstream"
)

// RPC says how a request is a call of gRPC, by its Content-Type
// (PROTOCOL-HTTP2.md and PROTOCOL-WEB.md of grpc/grpc).
type RPC uint8

// The ways.
const (
	NoRPC       RPC = iota
	GRPC            // application/grpc
	GRPCWeb         // application/grpc-web
	GRPCWebText     // application/grpc-web-text: in base64
)

// The codes of gRPC that rgate says or heeds itself (statuscodes.md).
const (
	codeCanceled          = 1
	codeUnknown           = 2
	codeDeadlineExceeded  = 4
	codePermissionDenied  = 7
	codeResourceExhausted = 8
	codeUnimplemented     = 12
	codeInternal          = 13
	codeUnavailable       = 14
	codeUnauthenticated   = 16
)

// httpOf are the statuses that codes count as, by google/rpc/code.proto.
var httpOf = [...]int{200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401}

// The types of content, without what says how messages are written.
var (
	typeGRPC    = []byte("application/grpc")
	typeWeb     = []byte("application/grpc-web")
	typeWebText = []byte("application/grpc-web-text")
)

// called tells how a request is a call.
func (x *Exchange) called() RPC {
	if string(x.Method) != "POST" || x.Header == nil {
		return NoRPC
	}
	switch t := x.Header.Get("Content-Type"); {
	case !bytes.HasPrefix(t, typeGRPC):
		return NoRPC
	case isType(t, typeGRPC):
		return GRPC
	case isType(t, typeWeb):
		return GRPCWeb
	case isType(t, typeWebText):
		return GRPCWebText
	}
	return NoRPC
}

// isType tells whether t, which may say how messages are written, is of a type.
func isType(t, of []byte) bool {
	rest, ok := bytes.CutPrefix(t, of)
	return ok && (len(rest) == 0 || rest[0] == '+' || rest[0] == ';')
}

// Deny answers x, which has begun, with a, whatever was to become of it.
func (x *Exchange) Deny(a *Answer) { x.reply(a) }

// maxMessage bounds what of an answer's body is told as grpc-message.
const maxMessage = 1 << 10

// asStatus is a as a call of gRPC is told it: a head alone, with a status. The HTTP
// status is that of every answer of gRPC.
func (x *Exchange) asStatus(a *Answer) *Answer {
	t := x.Header.Get("Content-Type")
	if at := bytes.IndexByte(t, ';'); at >= 0 {
		t = t[:at]
	}
	text := []byte("no route takes this method")
	if a.Reason != ReasonNoRoute {
		text = bytes.TrimSpace(a.Body[:min(len(a.Body), maxMessage)])
	}
	return &Answer{
		Status: 200, Reason: a.Reason, ContentType: string(t), Meant: a.Meant,
		Fields: [][2]string{{"Grpc-Status", strconv.Itoa(codeOf(a))}, {"Grpc-Message", string(percentEncoded(text))}},
	}
}

// codeOf is the code for an answer: that of http-grpc-status-mapping.md, but where
// gRPC has a more exact one.
func codeOf(a *Answer) int {
	if unmatched(a) {
		return codeUnimplemented
	}
	switch a.Status {
	case 400:
		return codeInternal
	case 401:
		return codeUnauthenticated
	case 403:
		return codePermissionDenied
	case 404, 501:
		return codeUnimplemented
	case 413, 429, 431:
		return codeResourceExhausted
	case 499:
		return codeCanceled
	case 502, 503:
		return codeUnavailable
	case 504:
		return codeDeadlineExceeded
	}
	return codeUnknown
}

// percentEncoded is text as grpc-message has it: printable ASCII but for the
// percent sign.
func percentEncoded(text []byte) []byte {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(text))
	for _, c := range text {
		if c >= ' ' && c <= '~' && c != '%' {
			out = append(out, c)
		} else {
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return out
}

// Said takes in the status that an endpoint ended a call with, as its head or its
// trailer section says: its digits. The exchange counts as what that stands for,
// though the HTTP status was 200.
func (x *Exchange) Said(code []byte) {
	n, err := strconv.ParseUint(string(code), 10, 8)
	if err != nil || n >= uint64(len(httpOf)) {
		n = codeUnknown
	}
	x.code, x.coded, x.Status = uint8(n), true, httpOf[n]
}

// sound is the status by which an endpoint is judged. Of the codes of gRPC only
// Unavailable speaks against it: the others are of the call.
func (x *Exchange) sound() int {
	switch {
	case !x.coded:
		return x.Status
	case x.code == codeUnavailable:
		return 503
	}
	return 200
}

// Refused tells whether an endpoint's answer, which is no more than a head with this
// code, is not for the client, since the call is tried elsewhere: the endpoint said
// that it is not available. untouched says that the request can be sent once more. Of
// the budget for retries it takes one.
func (x *Exchange) Refused(code []byte, untouched bool, now time.Time) bool {
	return x.RPC != NoRPC && string(code) == "14" && untouched &&
		len(x.backend.Endpoints) > x.attempts && x.mayRepeat(upstream.Refused) && x.backend.Budget.Retry(now)
}

// Streams tells whether x is a call that goes on as one. Its messages may come at
// any time, from either side, as those of a WebSocket do: of an upload that does not
// get on it cannot be told apart. Whether to go by Content-Type is not for a client
// to say, so the endpoint has to speak HTTP/2, where a stream that rests costs little.
func (x *Exchange) Streams() bool {
	if x.RPC == NoRPC || x.backend == nil {
		return false
	}
	switch x.backend.Config.Scheme {
	case "grpc", "grpcs", "h2", "h2c":
		return true
	}
	return false
}

// bound sets the time by which a call has to be over: by its own grpc-timeout, or
// by timeouts.grpc where that is sooner. False where what it says is no time.
func (x *Exchange) bound() bool {
	most := x.Table.Config.Timeouts.GRPC
	if said := x.Header.Get("Grpc-Timeout"); said != nil {
		own, ok := parseTimeout(said)
		if !ok {
			return false
		}
		if most == 0 || own < most {
			most = own
		}
		x.Deadline = x.Start.Add(most)
	} else if most > 0 {
		x.Deadline = x.Start.Add(most)
	}
	return true
}

// longestTimeout is as good as none, and as much as fits.
const longestTimeout = 100 * 365 * 24 * time.Hour

// parseTimeout reads up to eight digits and a unit.
func parseTimeout(b []byte) (d time.Duration, ok bool) {
	if len(b) < 2 || len(b) > 9 {
		return 0, false
	}
	var unit, n time.Duration
	switch b[len(b)-1] {
	case 'H':
		unit = time.Hour
	case 'M':
		unit = time.Minute
	case 'S':
		unit = time.Second
	case 'm':
		unit = time.Millisecond
	case 'u':
		unit = time.Microsecond
	case 'n':
		unit = time.Nanosecond
	}
	for _, c := range b[:len(b)-1] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + time.Duration(c-'0')
	}
	if unit > 0 && n > longestTimeout/unit {
		return longestTimeout, true
	}
	return n * unit, unit > 0
}

// AppendTimeout appends what is left of x's time as grpc-timeout has it.
func (x *Exchange) AppendTimeout(dst []byte, now time.Time) []byte {
	left := max(x.Deadline.Sub(now), 0)
	for _, u := range []struct {
		of   time.Duration
		name byte
	}{{time.Nanosecond, 'n'}, {time.Microsecond, 'u'}, {time.Millisecond, 'm'}, {time.Second, 'S'}} {
		if n := int64(left / u.of); n < 1e8 {
			return append(strconv.AppendInt(dst, n, 10), u.name)
		}
	}
	return append(strconv.AppendInt(dst, int64(left/time.Hour), 10), 'H')
}

// Expire answers a call whose time is over before it was forwarded.
func (x *Exchange) Expire() Verdict { return x.reply(answerDeadline) }
