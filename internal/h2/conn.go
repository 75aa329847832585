package h2

import (
	"bytes"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2/hpack"
)

// Options are what a Conn is made of.
type Options struct {
	// Client says that this side opens the streams.
	Client bool
	// Secure says that the connection has TLS: the scheme is https.
	Secure bool
	// Streams is how many the other side may have at once; of a client, how many
	// it opens itself where it may.
	Streams int
	// Head bounds a field section, in bytes as HTTP/1.1 has it, and Fields the
	// number of its fields. A message to be sent is bounded by neither.
	Head, Fields int
}

// The windows that the other side is given: for a stream, and for all of a
// connection together, which bounds what is held of it unread.
const (
	streamWindow = 128 << 10
	connWindow   = 512 << 10
)

// What waits to be sent: DATA and heads wait themselves once there are mostOut
// bytes, and a connection with more than mostQueued of what does not wait is read
// by nobody.
const (
	mostOut    = 48 << 10
	mostQueued = 256 << 10
)

// Conn is one side of a connection.
type Conn struct {
	o  Options
	mu sync.Mutex

	// What comes.
	preface  int // bytes of it that came
	settled  bool
	block    block
	data     incoming // the DATA frame that is coming
	decoder  *hpack.Decoder
	received int64 // what the other side may still send on all streams
	unread   int   // what was read of that, and not told
	control  allowance
	resets   allowance

	// What goes.
	out         []byte
	kick        chan struct{} // gets a word when something is in out
	encoder     *hpack.Encoder
	encoded     bytes.Buffer // where encoder writes
	window      int64        // what this side may still send on all streams
	waiting     []*Stream    // that wait to send DATA, the first to come first
	heads       []*Stream    // that wait to send a head
	peerWindow  int64        // that a new stream has
	peerFrame   int
	peerStreams uint32
	peerConnect bool

	streams  map[uint32]*Stream // that are open
	running  int                // that are not closed by who uses them
	ended    recent             // that this side ended before their time
	lastPeer uint32             // the last that the other side opened
	lastOwn  uint32             // the last that this side opened
	opened   []*Stream          // that nobody uses yet
	since    time.Time          // for which there is none
	served   int

	// Of a client.
	ready     chan struct{} // closed once SETTINGS came, or none will
	heard     time.Time     // when anything came last
	lingering int           // of the streams, those that nobody uses any more

	leaving  leaving
	farewell time.Time // when that was said
	last     uint32    // the last stream that is taken once this side is gone
	dead     error

	// Of the session.
	local, remote      net.Addr
	idleTime, headTime func() time.Duration
	cutoff             func(time.Time) // sets when a read ends
	until              time.Time       // when it does
}

// New makes the state of a connection. What it says first is in out.
func New(o Options) *Conn {
	c := &Conn{
		o: o, kick: make(chan struct{}, 1), streams: map[uint32]*Stream{}, since: time.Now(),
		received: connWindow, window: firstWindow, peerWindow: firstWindow, peerFrame: maxFrame, peerStreams: 1<<32 - 1,
	}
	c.encoder = hpack.NewEncoder(&c.encoded)
	own := [][2]uint32{{uint32(settingWindow), streamWindow}, {uint32(settingListSize), uint32(o.Head)}}
	if o.Client {
		c.preface, c.ready = len(Preface), make(chan struct{})
		c.out = append(c.out, Preface...)
		own = append(own, [2]uint32{uint32(settingPush), 0})
	} else {
		own = append(own, [2]uint32{uint32(settingStreams), uint32(o.Streams)}, [2]uint32{uint32(settingConnect), 1})
	}
	c.out = appendSettings(c.out, own)
	c.out = appendWindowUpdate(c.out, 0, connWindow-firstWindow)
	c.flush()
	return c
}

// flush says that out has something, or the connection is dead.
func (c *Conn) flush() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// Feed takes what came, and returns how much of it: the rest is to be offered
// again with more behind it. An error ends the connection; what is to be said of
// it is in out by then.
func (c *Conn) Feed(b []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.o.Client && len(b) > 0 {
		c.heard = time.Now()
	}
	for c.dead == nil {
		k, wrong := c.step(b[n:])
		if wrong == nil && len(c.out) > mostQueued {
			wrong = calm("frames to be answered, whose answers nobody reads")
		}
		if wrong != nil {
			c.fail(wrong)
		}
		if n += k; k == 0 {
			break
		}
	}
	if len(c.out) > 0 {
		c.flush()
	}
	c.arm()
	return n, c.dead
}

// step takes one frame, or a piece of DATA; 0 where there is too little of it.
func (c *Conn) step(b []byte) (int, *ConnError) {
	switch {
	case len(b) == 0:
		return 0, nil
	case c.preface < len(Preface):
		n := min(len(b), len(Preface)-c.preface)
		if string(b[:n]) != Preface[c.preface:c.preface+n] {
			return 0, fatal(ProtocolError, "what came first is not the preface of HTTP/2")
		}
		c.preface += n
		return n, nil
	case c.data.more():
		return c.piece(b)
	case len(b) < frameHead:
		return 0, nil
	}
	f := parseFrame(b)
	if err := f.check(); err != nil {
		return 0, err
	}
	switch {
	case !c.settled && (f.kind != kindSettings || f.has(flagAck)):
		return 0, fatal(ProtocolError, "what came first is not SETTINGS")
	case c.block.id != 0 && (f.kind != kindContinuation || f.id != c.block.id):
		return 0, fatal(ProtocolError, "a frame within a field block")
	case f.kind == kindData:
		return c.begin(&f, b)
	case len(b) < frameHead+f.length:
		return 0, nil
	}
	f.payload = b[frameHead : frameHead+f.length]
	return frameHead + f.length, c.take(&f)
}

func (c *Conn) take(f *frame) *ConnError {
	switch f.kind {
	case kindHeaders:
		return c.headers(f)
	case kindContinuation:
		return c.continuation(f)
	case kindPriority:
		return c.priority(f)
	case kindReset:
		return c.wasReset(f)
	case kindSettings:
		return c.settings(f)
	case kindPushPromise:
		return fatal(ProtocolError, "PUSH_PROMISE, which nobody asked for")
	case kindPing:
		return c.ping(f)
	case kindGoAway:
		return c.goAway(f)
	case kindWindowUpdate:
		return c.update(f)
	}
	return c.spend("frames of unknown kinds")
}

// priority is of no use here (RFC 9113 §5.3.2).
func (c *Conn) priority(f *frame) *ConnError {
	switch {
	case f.length != 5:
		return c.endStream(f.id, FrameSizeError, "PRIORITY has not its length")
	case f.number()&lastID == f.id:
		return c.endStream(f.id, ProtocolError, "a stream that depends on itself")
	}
	return c.spend("PRIORITY frames")
}

func (c *Conn) ping(f *frame) *ConnError {
	if f.has(flagAck) {
		c.ponged(f.payload)
		return c.spend("PING frames")
	}
	c.out = appendPing(c.out, true, f.payload)
	return c.spend("PING frames")
}

// update opens a window.
func (c *Conn) update(f *frame) *ConnError {
	by := int64(f.number() & maxWin)
	if f.id == 0 {
		if by == 0 {
			return fatal(ProtocolError, "a window opened by nothing")
		}
		if c.window += by; c.window > maxWin {
			return fatal(FlowControlError, "a window larger than may be")
		}
		c.next()
		return c.spend("WINDOW_UPDATE frames")
	}
	s := c.streams[f.id]
	switch {
	case s == nil && c.idle(f.id):
		return fatal(ProtocolError, "WINDOW_UPDATE on a stream that nobody opened")
	case s == nil:
		return c.spend("WINDOW_UPDATE frames")
	case by == 0:
		return c.endStream(f.id, ProtocolError, "a window opened by nothing")
	}
	if s.window += by; s.window > maxWin {
		return c.endStream(f.id, FlowControlError, "a window larger than may be")
	}
	s.writes.signal()
	return c.spend("WINDOW_UPDATE frames")
}

func (c *Conn) wasReset(f *frame) *ConnError {
	s := c.streams[f.id]
	if s == nil {
		if c.idle(f.id) {
			return fatal(ProtocolError, "RST_STREAM on a stream that nobody opened")
		}
		return c.spend("RST_STREAM frames")
	}
	early := !s.sent
	if c.o.Client && s.ended { // its answer is whole: the rest of the request is not wanted
		s.deaf()
	}
	s.fail(&StreamError{Code: Code(f.number()), Remote: true})
	c.drop(s)
	if early && !c.o.Client {
		return c.strike()
	}
	return c.spend("RST_STREAM frames")
}

// idle tells whether a stream was never opened.
func (c *Conn) idle(id uint32) bool {
	if own := id%2 == 1; own == c.o.Client {
		return id > c.lastOwn
	}
	return id > c.lastPeer
}

// endStream resets a stream for what the other side did.
func (c *Conn) endStream(id uint32, code Code, why string) *ConnError {
	if c.idle(id) {
		return fatal(code, why)
	}
	c.out = appendReset(c.out, id, code)
	c.ended.add(id)
	if s := c.streams[id]; s != nil {
		s.fail(&StreamError{Code: code, Text: why})
		c.drop(s)
	}
	return c.strike()
}

// fail ends the connection, and all streams.
func (c *Conn) fail(why error) {
	if c.dead != nil {
		return
	}
	c.dead = why
	if wrong, ok := why.(*ConnError); ok && !wrong.Remote {
		c.out = appendGoAway(c.out, c.lastPeer, wrong.Code, wrong.Text)
	}
	for _, s := range c.streams {
		s.fail(why)
	}
	for _, s := range c.heads {
		s.writes.signal()
	}
	clear(c.streams)
	c.lingering = 0
	c.begun()
	c.waiting, c.heads = nil, nil
	c.flush()
	c.arm()
}

// recent are streams of late. What the other side sent on them before it knew is
// no fault of its.
type recent struct {
	ids [128]uint32
	n   int
}

func (r *recent) add(id uint32) {
	r.ids[r.n%len(r.ids)] = id
	r.n++
}

func (r *recent) has(id uint32) bool {
	for _, one := range r.ids {
		if one == id {
			return true
		}
	}
	return false
}
