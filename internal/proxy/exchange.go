package proxy

import (
	"net/netip"
	"time"

	"rgate/internal/policy"
	"rgate/internal/route"
	"rgate/internal/upstream"
)

// Header is an engine's request head, so that decisions need not know which
// engine holds it. Names are in canonical form; a lookup ignores case. What is
// returned is valid while the exchange lasts.
type Header interface {
	Get(name string) []byte              // the first value, nil for none
	Join(dst []byte, name string) []byte // all values, joined by ", "
	Has(name string) bool                // whether there is a field of that name
	Is(name, value string) bool          // whether what Join gives is this
	Cookie(name string) []byte           // the value of a cookie, nil for none
	Count(name string) int               // how many fields have that name
	Via(pseudonym []byte) bool           // whether a Via field names it
}

// maxAttempts bounds the endpoints an exchange remembers having tried. The
// config allows no more retries than this.
const maxAttempts = 12

// Exchange is one request and its answer, from head to record. An engine
// reuses it after Reset.
type Exchange struct {
	// The request, as the engine read it.
	Method   []byte
	Target   []byte // path and query, as sent
	Host     []byte
	Peer     netip.Addr // who is connected, unmapped
	HSTS     string     // the value of Strict-Transport-Security; "" for none
	Redirect Redirect   // nil where none is to be made
	Secured  Secured    // nil for a request in the clear
	HTTP2    bool       // by which it came; nothing is decided by it
	Header   Header
	Body     Body
	Start    time.Time
	Plain    bool // the engine speaks to endpoints in HTTP/1.1 alone, and in the clear

	// What Begin decided.
	Client    netip.Addr // whom a trusted peer vouches for, else the peer
	Path      []byte     // normalised; what routes are matched by
	Forward   []byte     // the path that the endpoint gets: Path itself
	Query     []byte     // with its question mark; nil for none
	RequestID []byte
	Consumer  *policy.Consumer // who it turned out to come from; nil for nobody in particular
	RPC       RPC              // how the request is a call of gRPC
	Web       bool             // it is one of gRPC-Web, and its endpoint gets it as one of gRPC
	Deadline  time.Time        // when that has to be over; zero for never
	Route     *route.Route     // nil where none takes it
	Table     *route.Table
	Answer    *Answer // what rgate answers by itself, once it does
	Job       Job     // what it waits for, with the verdict Wait

	// SetCookie is what the client is to be told after Head; nil for nothing.
	SetCookie []byte

	// What moved, for the record. The engine counts.
	BytesIn, BytesOut int64
	Status            int  // that was sent; 0 for none
	Upgraded          bool // the connection became something else than HTTP
	Bound             bool // the request made the endpoint's connection its client's own

	// Fault is why the attempt before Next failed, for the log; nil where its
	// outcome says it all. Next forgets it.
	Fault error

	gate       *Gate
	trusted    bool
	agreed     bool             // what a trusted peer said in Forwarded names Client
	considered int              // policies that were asked
	rewrites   []*policy.Prefix // that changed the path
	question   policy.Job       // of the last of them, while it waits
	admitted   bool
	ticket     upstream.Ticket // for its place in a queue
	ended      bool
	key        uint64
	preferred  *upstream.Endpoint
	target     *route.Target      // where Route led it
	backend    *route.Backend     // target's, as it is in the newest table that was asked
	endpoint   *upstream.Endpoint // of the attempt under way
	attempt    time.Time          // when it began
	asked      time.Time          // when it was its turn to answer
	waited     time.Duration      // what earlier attempts took of the time for a head
	connecting time.Duration      // what connections took that did not come about
	reached    bool               // some attempt found its endpoint
	headed     bool               // its response head was seen
	coded      bool               // the endpoint ended its call with code
	code       uint8
	tried      [maxAttempts]*upstream.Endpoint
	attempts   int
	refused    int // of the attempts
	pathSpace  [256]byte
	idSpace    [36]byte
	keySpace   [48]byte
}

// Body says what a request carries, as far as trying again goes.
type Body uint8

// The bodies.
const (
	NoBody     Body = iota
	Replayable      // kept, as far as it has come: can be sent again
	Streamed        // gone once sent
)

// Reset makes x ready for the next request. It keeps no reference.
func (x *Exchange) Reset() { *x = Exchange{} }

// Pseudonym is what rgate calls itself in the Via field of the requests that it
// sends on (RFC 9110 §7.6.3).
func (x *Exchange) Pseudonym() []byte { return x.gate.pseudonym }

// Endpoint is the endpoint of the attempt under way, or of the last; nil
// before the first.
func (x *Exchange) Endpoint() *upstream.Endpoint { return x.endpoint }

// Attempts is the number of attempts so far.
func (x *Exchange) Attempts() int { return x.attempts }

// idempotent methods may be sent twice (RFC 9110 §9.2.2).
func (x *Exchange) idempotent() bool {
	switch string(x.Method) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// Repeatable tells whether the request may be sent a second time after bytes
// of it reached an endpoint. One that may not must go on a connection that is
// certain to be alive.
func (x *Exchange) Repeatable() bool { return x.idempotent() && x.Body != Streamed }
