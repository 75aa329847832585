//go:build linux

package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"rgate/internal/rig"
)

// patience is how long anything may take before it hangs. Machines that run
// this beside much else are slow.
const patience = 30 * time.Second

// visitor is a client. It keeps the cookie that it got, as a browser would.
type visitor struct {
	*sequences
	cookie string // of the sticky route
}

// visit is one connection and all exchanges on it.
type visit struct {
	*visitor
	conn  rig.Conn
	in    *bufio.Reader
	pipe  *pace
	shaky bool // an answer may be missing, since something went wrong before

	history []string // of the exchanges so far
}

// fault tells of what the client met.
func (v *visit) fault(p *plan, m *message, format string, args ...any) {
	v.sequences.fault(p, m, format+"\nbehind %q", append(args, v.history)...)
}

// asked is an exchange under way, as its client sees it.
type asked struct {
	*plan
	cookie  string        // it sends for the sticky route
	begun   chan struct{} // closed once at is set
	at      time.Time     // when the first byte was sent
	goAhead chan struct{} // has something once the body may be sent
}

func newAsked(p *plan) *asked {
	return &asked{plan: p, begun: make(chan struct{}), goAhead: make(chan struct{}, 1)}
}

// mayGoOn lets the body be sent.
func (a *asked) mayGoOn() {
	select {
	case a.goAhead <- struct{}{}:
	default:
	}
}

var errQuit = errors.New("the client has left")

// pace is what a client hears of its connection, at its own speed.
type pace struct {
	net.Conn
	slow bool
	left int // until it quits; negative for never
}

func (r *pace) Read(b []byte) (int, error) {
	if r.left == 0 {
		return 0, errQuit
	}
	if r.slow {
		time.Sleep(time.Millisecond)
		b = b[:min(len(b), 3000)]
	}
	if r.left > 0 {
		b = b[:min(len(b), r.left)]
	}
	n, err := r.Conn.Read(b)
	if r.left > 0 {
		r.left -= n
	}
	return n, err
}

// visit makes connection n and goes through all that is planned for it.
func (s *visitor) visit(n uint32) {
	d := throw(s.seed, forConnection|uint64(n))
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(identityOf(n, 0).client())}, Timeout: patience}
	c, err := rig.Dial(&dialer, s.rig.Addr)
	if err != nil {
		s.fault(nil, nil, "cannot connect: %v", err)
		return
	}
	defer c.Close()
	v := &visit{visitor: s, conn: c, pipe: &pace{Conn: c, left: -1}}
	if d.oneIn(10) {
		_ = v.conn.TCP().SetReadBuffer(32 << 10)
	}
	v.in = bufio.NewReader(v.pipe)
	for place := 0; place < mootPlace && !s.over(); {
		batch := v.batch(n, place, d)
		if len(batch) == 0 || !v.converse(batch, d) {
			return
		}
		place += len(batch)
		if d.oneIn(6) {
			return
		}
		time.Sleep(d.pause())
	}
}

// batch is the exchanges that are asked for at once.
func (v *visit) batch(n uint32, place int, d dice) (all []*asked) {
	for range pick(d, 1, 1, 2, 4) {
		if place == mootPlace {
			break
		}
		p := planOf(v.seed, identityOf(n, place))
		a := newAsked(p)
		if p.route == stickyRoute && p.kind == forwarded {
			a.cookie = v.cookie
		}
		all = append(all, a)
		if place++; p.waits() {
			break
		}
	}
	if l := all[len(all)-1]; l.last && l.quit == stays {
		p := planOf(v.seed, identityOf(n, mootPlace))
		all = append(all, newAsked(p))
	}
	return all
}

// converse asks for a batch and hears the answers; false where the connection
// is over.
func (v *visit) converse(batch []*asked, d dice) bool {
	_ = v.conn.SetDeadline(time.Now().Add(patience))
	v.shaky = v.shaky || batch[len(batch)-1].quit != stays // and takes the others' answers with it
	stop, sent := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sent)
		v.ask(batch, stop)
	}()
	goesOn := true
	for _, a := range batch {
		v.pipe.slow = a.slowReader
		if a.id.moot() {
			break
		}
		<-a.begun
		if goesOn = v.hear(a, d) && !a.ends(); !goesOn {
			break
		}
	}
	if !goesOn {
		close(stop)
		_ = v.conn.SetWriteDeadline(time.Now())
	}
	<-sent
	return goesOn
}

// ask sends the requests of a batch.
func (v *visit) ask(batch []*asked, stop chan struct{}) {
	for _, a := range batch {
		if !v.askOne(a, stop) {
			break
		}
	}
	for _, a := range batch {
		select {
		case <-a.begun:
		default:
			a.at = time.Now()
			close(a.begun)
		}
	}
}

// askOne sends one request; false where no other can follow.
func (v *visit) askOne(a *asked, stop chan struct{}) bool {
	d := throw(v.seed, forClient|uint64(a.id))
	head, body := a.request(v.seed, a.cookie)
	v.ledger.asked(a.plan)
	a.at = time.Now()
	close(a.begun)
	switch a.quit {
	case inHead:
		head, body = head[:d.IntN(len(head))], nil
	case inBody:
		body = body[:d.IntN(len(body))]
	}
	if a.expect {
		if !v.send(head, a.pieces, d) {
			return false
		}
		wait := patience
		if a.impatient || a.quit != stays {
			wait = time.Duration(d.IntN(10)) * time.Millisecond
		}
		select {
		case <-a.goAhead:
		case <-stop:
			return false
		case <-time.After(wait):
		}
		head = nil
	}
	if !v.send(append(head, body...), a.pieces, d) {
		return false
	}
	if a.quit != stays && a.quit != inAnswer {
		time.Sleep(d.pause())
		v.quit(a.how)
		return false
	}
	return true
}

func (v *visit) send(b []byte, pieces int, d dice) bool {
	for i, piece := range d.cut(b, pieces) {
		if i > 0 {
			time.Sleep(d.pause())
		}
		if _, err := v.conn.Write(piece); err != nil {
			return false
		}
	}
	return true
}

func (v *visit) quit(how ending) {
	switch how {
	case closes:
		_ = v.conn.Close()
	case resets:
		forget(v.conn.TCP())
		_ = v.conn.Close()
	case halfCloses:
		_ = v.conn.CloseWrite()
	}
}

// hear reads the answer to a; false where the connection is over.
func (v *visit) hear(a *asked, d dice) bool {
	defer v.tries.forget(a.id)
	v.pipe.left = -1
	if a.quit == inAnswer {
		v.pipe.left = d.size()
	}
	if a.kind == upgrade {
		return v.hearEcho(a)
	}
	h := v.listen(a)
	v.history = append(v.history, fmt.Sprintf("%v %s %s: %d, %v", a.id, a.method, a.path(), h.status(), h.err))
	goesOn := v.judge(a, h)
	if h.err == errQuit {
		v.quit(a.how)
	}
	return goesOn
}

// heard is an answer and what came before it.
type heard struct {
	message
	hints  []*message
	err    error
	closes bool   // the connection ends with it
	behind []byte // what came all the same
}

// listen reads an answer, and its connection to the end where it is the last.
func (v *visit) listen(a *asked) *heard {
	h := &heard{}
	for {
		h.message = message{}
		if h.err = h.readHead(v.in); h.err != nil {
			return h
		}
		if s := h.status(); s < 100 || s > 199 || s == 101 {
			break
		}
		if h.status() == 100 && a.expect {
			a.mayGoOn()
		}
		m := h.message
		h.hints = append(h.hints, &m)
	}
	a.mayGoOn() // it may as well close
	f := h.answerFraming(a.method)
	said := h.get("Connection")
	h.closes = f == byClose || said == "close" || a.old && !strings.EqualFold(said, "keep-alive")
	if h.err = h.readBody(v.in, f); h.err == nil && h.closes {
		_ = v.conn.SetReadDeadline(time.Now().Add(patience))
		if h.behind, h.err = io.ReadAll(v.in); !errors.Is(h.err, os.ErrDeadlineExceeded) {
			h.err = nil
		}
	}
	return h
}
