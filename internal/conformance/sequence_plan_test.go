//go:build linux

package conformance

import (
	"fmt"
	"strings"
)

// plan is all that shall happen in one exchange. It follows from the seed and
// the identity, so that a client and an endpoint that know the identity know
// the plan.
type plan struct {
	id      identity
	kind    kind
	method  string
	old     bool // HTTP/1.0
	keep    bool // and the client asks to keep the connection
	last    bool // the client asks to close
	route   string
	crooked bool // the path is not normal

	body       framing
	size       int
	extension  bool // chunks carry one
	trailer    int  // fields
	expect     bool
	impatient  bool // it sends its body before it is asked
	filler     int  // bytes of further fields
	nominated  bool // a field is for the next hop alone
	ownID      bool // X-Request-Id comes from the client
	json       bool
	pieces     int // the request is sent in
	slowReader bool
	quit       quitting
	how        ending // of quitting

	answer answerPlan
}

// answerPlan is the endpoint's part of a plan.
type answerPlan struct {
	status    int
	body      framing
	size      int
	extension bool
	trailer   int
	filler    int
	hints     int  // interim answers
	early     bool // it comes before the request's body is read
	ignores   bool // and that is never read
	dated     bool
	pieces    int
	keepAlive int // the timeout it tells of, in seconds; 0 for none
	last      bool
	fate      fate
	failures  int // attempts that meet the fate
	after     after
}

type kind uint8

const (
	forwarded  kind = iota
	upgrade         // to an echo of bytes
	unmatched       // by any route
	statistics      // the page
	unreadable      // no request that may be answered but with a refusal
	oversized       // the head is
)

// quitting is where a client gives up.
type quitting uint8

const (
	stays quitting = iota
	inHead
	inBody
	beforeAnswer
	inAnswer
)

// ending is how a connection is ended.
type ending uint8

const (
	closes ending = iota
	resets
	halfCloses
)

// fate is where an endpoint gives up.
type fate uint8

const (
	fine fate = iota
	noHead
	halfHead
	halfBody
	stalls // and answers when nobody waits any more
)

// after is what an endpoint does with its connection behind an answer.
type after uint8

const (
	keeps       after = iota
	leaves            // without a word
	leavesLater       // after a moment
	blurts            // says more in the same breath, and leaves
	blurtsLater       // says something unasked after a moment, and leaves
)

// The routes. What can be known of each is in sequence_judge_test.go.
const (
	plainRoute  = "plain"
	stickyRoute = "sticky"
	narrowRoute = "narrow" // few exchanges at once, others queue
)

// planOf is the plan of id.
func planOf(seed uint64, id identity) *plan {
	d := throw(seed, uint64(id))
	p := &plan{id: id, method: "GET", route: pick(d, plainRoute, plainRoute, stickyRoute, narrowRoute), pieces: 1}
	if id.moot() {
		return p
	}
	switch d.IntN(40) {
	case 0:
		p.kind = unmatched
	case 1:
		p.kind = statistics
	case 2:
		p.kind = unreadable
	case 3:
		p.kind = oversized
	case 4, 5:
		p.kind = upgrade
		p.size, p.pieces = d.size(), 1+d.IntN(4)
		p.answer.status = 101
		p.how = pick(d, closes, halfCloses)
		return p
	}
	p.drawRequest(d)
	if p.kind == forwarded {
		p.drawQuitting(d)
		p.drawAnswer(d)
	}
	return p
}

func (p *plan) drawRequest(d dice) {
	p.method = pick(d, "GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "POST", "PUT", "PATCH", "DELETE")
	if p.kind == statistics || p.kind == unreadable || p.kind == oversized {
		p.method = "GET"
		return
	}
	p.old = d.oneIn(10)
	p.keep = p.old && d.oneIn(2)
	p.last = !p.old && d.oneIn(15)
	if bodied := strings.HasPrefix(p.method, "P"); bodied || d.oneIn(15) {
		p.body = pick(d, noBody, byLength, byLength, byChunks, byChunks)
		if p.old && p.body == byChunks {
			p.body = byLength
		}
	}
	if p.body != noBody {
		p.size = d.size()
		p.expect = !p.old && p.size > 0 && d.oneIn(5)
		p.impatient = d.oneIn(3)
	}
	if p.body == byChunks {
		p.extension = d.oneIn(3)
		p.trailer = pick(d, 0, 1, 3)
	}
	p.filler = pick(d, 0, 0, d.IntN(300), d.IntN(4000), 15_000+d.IntN(2000), 28_000)
	if d.oneIn(2) {
		p.filler = 0
	}
	p.crooked = d.oneIn(4)
	p.nominated, p.ownID, p.json = d.oneIn(5), d.oneIn(5), d.oneIn(4)
	p.pieces = pick(d, 1, 1, 1, 2, 3, 6)
	p.slowReader = d.oneIn(12)
}

func (p *plan) drawQuitting(d dice) {
	if !d.oneIn(15) {
		return
	}
	p.quit = pick(d, inHead, inBody, beforeAnswer, inAnswer)
	p.how = pick(d, closes, resets, halfCloses)
	if p.quit == inBody && p.size == 0 {
		p.quit = beforeAnswer
	}
}

func (p *plan) drawAnswer(d dice) {
	a := &p.answer
	a.status = pick(d, 200, 200, 200, 200, 200, 201, 404, 500, 204, 304)
	a.body, a.size = pick(d, byLength, byLength, byLength, byChunks, byChunks, byClose), d.size()
	if a.status == 204 || a.status == 304 {
		a.body, a.size = noBody, 0
	}
	if a.body == byChunks {
		a.extension = d.oneIn(4)
		a.trailer = pick(d, 0, 1, 3)
	}
	a.filler = pick(d, 0, 0, 0, 0, d.IntN(300), d.IntN(3000), d.IntN(12_000))
	if d.oneIn(6) {
		a.hints = 1 + d.IntN(2)
	}
	if p.body != noBody && p.size > 0 && d.oneIn(6) {
		a.early, a.ignores = true, a.body == byClose || d.oneIn(2)
	}
	a.dated, a.last = d.oneIn(3), d.oneIn(12)
	a.pieces = pick(d, 1, 1, 1, 2, 3, 5)
	if d.oneIn(8) {
		a.keepAlive = 1 + d.IntN(3)
	}
	if d.oneIn(15) {
		a.fate, a.failures = pick(d, noHead, noHead, halfHead, halfHead, halfBody, halfBody, stalls), pick(d, 1, 1, 2, 9)
	}
	if !a.last && a.body != byClose && d.oneIn(5) {
		a.after = pick(d, leaves, leavesLater, blurts, blurtsLater)
	}
}

// calm tells whether nothing in the plan keeps the answer from being whole.
func (p *plan) calm() bool {
	return p.quit == stays && p.answer.fate == fine && !p.answer.early
}

// ends tells whether the client expects no other answer behind this one.
func (p *plan) ends() bool {
	return p.kind == unreadable || p.kind == oversized || p.kind == upgrade || p.quit != stays || p.last || p.old && !p.keep
}

// waits tells whether what the client sends next depends on the answer.
func (p *plan) waits() bool { return p.ends() || p.expect }

// path is what the client asks for.
func (p *plan) path() string {
	if p.crooked {
		return "/a/.." + p.straightPath()
	}
	return p.straightPath()
}

// straightPath is what the endpoint is asked for.
func (p *plan) straightPath() string {
	switch p.kind {
	case statistics:
		return "/stats"
	case unmatched:
		return fmt.Sprintf("/nowhere/%v", p.id)
	}
	return fmt.Sprintf("/%s/%v?by=%v", p.route, p.id, p.id)
}
