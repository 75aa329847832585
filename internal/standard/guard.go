package standard

import (
	"io"
	"net/http"
	"time"

	"rgate/internal/h1"
	"rgate/internal/proxy"
)

// guard reads a client's bytes before net/http does and lets nothing through
// that has two readings: net/http settles some of them in silence (a length
// beside chunked coding, chunked coding in HTTP/1.0, loose line ends), and an
// endpoint may settle them otherwise. It follows heads and bodies, and gives
// net/http each head whole.
//
// A request that is refused is replaced by one that net/http refuses too, so
// that the answer goes out in its turn; clientConn.Write puts the right one in
// its place.
type guard struct {
	conn *clientConn
	buf  []byte
	// buf[from:seen] may be read, buf[seen:to] has not been looked at.
	from, seen, to int
	state          guardState
	head           h1.Request
	body           h1.Body
	timed          bool          // the head under way has its deadline
	refusal        *proxy.Answer // to the last request
	err            error         // after which nothing is read
}

type guardState uint8

const (
	inHead guardState = iota
	inBody
	open // a WebSocket was asked for: what follows may be no HTTP
)

const guardBuffer = 4 << 10

// poison is what net/http refuses.
const poison = "refused\r\n\r\n"

// Read implements io.Reader.
func (g *guard) Read(p []byte) (int, error) {
	for len(p) > 0 {
		if g.from < g.seen {
			n := copy(p, g.buf[g.from:g.seen])
			g.from += n
			return n, nil
		}
		if g.err != nil {
			return 0, g.err
		}
		if g.to > g.seen && g.look() {
			continue
		}
		if left := g.direct(len(p)); g.to == g.seen && left > 0 {
			n, err := g.conn.Conn.Read(p[:left])
			if g.state == inBody {
				g.body.Skip(int64(n))
				g.ended()
			}
			return n, err
		}
		if err := g.fill(); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// direct is how many of the next n bytes need no look.
func (g *guard) direct(n int) int {
	switch g.state {
	case inBody:
		return int(min(int64(n), g.body.Left()))
	case open:
		return n
	}
	return 0
}

// fill reads more into the buffer.
func (g *guard) fill() error {
	if g.from == g.seen && g.from > 0 {
		g.to = copy(g.buf, g.buf[g.seen:g.to])
		g.from, g.seen = 0, 0
	}
	if g.to == len(g.buf) {
		g.buf = append(g.buf, make([]byte, max(len(g.buf), guardBuffer))...)
	}
	limit := g.conn.engine.server.ReadHeaderTimeout
	if limit > 0 && g.to > g.seen && g.state == inHead && !g.timed && !g.conn.active.Load() {
		// net/http counts from the first byte it sees, and that is to come.
		g.timed = true
		_ = g.conn.SetReadDeadline(time.Now().Add(limit)) // fails on a closed connection: so does the read
	}
	n, err := g.conn.Conn.Read(g.buf[g.to:])
	if n > 0 {
		g.conn.quiet.Store(0)
	}
	g.to += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// look judges what is in the buffer; false where more is needed for that.
func (g *guard) look() bool {
	switch g.state {
	case inHead:
		return g.lookAtHead()
	case inBody:
		_, n, _, err := g.body.Next(g.buf[g.seen:g.to])
		g.seen += n
		if err != nil {
			// net/http takes this for a client that left; judge knows better.
			g.conn.malformed.Store(true)
			g.err, g.to = err, g.seen
			return true
		}
		g.ended()
		return n > 0
	}
	g.seen = g.to
	return true
}

func (g *guard) lookAtHead() bool {
	limits := &g.conn.engine.gate.Table().Config.Limits
	bounds := h1.Limits{MaxHead: limits.HeaderBytes, MaxFields: limits.HeaderCount}
	n, err := h1.ParseRequest(g.buf[g.seen:g.to], bounds, &g.head)
	if err != nil {
		g.refuse(err)
		return true
	}
	if n == 0 {
		return false
	}
	g.seen, g.timed = g.seen+n, false
	g.head.Body(&g.body, bounds)
	g.state = inBody
	if g.head.Upgrade && g.body.Done() {
		g.state = open
		g.conn.last.Store(true)
	}
	g.ended()
	return true
}

// ended waits for the next head once a body is complete.
func (g *guard) ended() {
	if g.state == inBody && g.body.Done() {
		g.state = inHead
	}
}

// refuse puts poison in the place of a head.
func (g *guard) refuse(err error) {
	g.refusal = answerTo(err)
	g.buf = append(g.buf[:g.seen], poison...)
	g.seen = len(g.buf)
	g.to = g.seen
	g.err = io.EOF
}

// answerTo is the answer to a request that the parser refused.
func answerTo(err error) *proxy.Answer {
	e, ok := err.(*h1.Error)
	if !ok {
		return proxy.BadRequest("the request is malformed")
	}
	switch e.Status {
	case http.StatusBadRequest:
		return proxy.BadRequest(e.Text)
	case http.StatusRequestHeaderFieldsTooLarge:
		return tooLarge(e.Text)
	}
	a := proxy.BadRequest(e.Text)
	a.Status, a.Reason = e.Status, proxy.ReasonUnsupport
	return a
}
