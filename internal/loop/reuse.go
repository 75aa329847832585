//go:build linux

package loop

import "time"

// turn is a moment in the life of a loop, by what it handled.
type turn struct {
	round   int // of waiting for events
	handled int // events in it, and connections that went on without one
}

const (
	// soon is how many events a loop handles in well under a millisecond.
	soon = 16
	// learning is how many idle connections to an endpoint may be kept while
	// none of them is certain enough for a request that cannot be sent twice.
	learning = 8
	// proven is the age at which a connection has shown what it can show, while
	// others wait to.
	proven = 200 * time.Millisecond
)

// reuse is an idle connection of p, nil for none. With sure the request cannot
// be sent twice: it goes on none that the endpoint may be closing by now.
//
// What an endpoint says on an idle connection, a 408 or the body of an answer
// that has none, is no answer to what is asked next. So a connection is looked
// at before it is used again, unless its last answer was read just now: then the
// socket was found empty after it.
func (l *loop) reuse(p *pool, sure bool) *origin {
	for n := len(p.idle); n > 0; n = len(p.idle) {
		o := p.idle[n-1]
		if (sure || !l.justRead(o)) && !o.alive() {
			l.lost(o)
			continue
		}
		if sure && !l.certain(p, o) {
			return nil
		}
		p.idle = p.idle[:n-1]
		o.reused, o.timer.at = true, 0
		return o
	}
	return nil
}

// justRead tells whether o became idle in this turn of the loop and a moment ago.
func (l *loop) justRead(o *origin) bool {
	return o.turn.round == l.turn.round && l.turn.handled-o.turn.handled < soon
}

// certain tells whether o, which is open, is known not to be closed soon. Where
// nothing is known yet, the oldest connection tells the most.
func (l *loop) certain(p *pool, o *origin) bool {
	age := l.now.Sub(o.since)
	p.to.Lasted(age)
	if p.to.Fresh(age) {
		return true
	}
	oldest := p.idle[0]
	if oldest == o {
		return false
	}
	if !oldest.alive() {
		l.lost(oldest)
		return false
	}
	p.to.Lasted(l.now.Sub(oldest.since))
	if p.to.Fresh(age) {
		return true
	}
	if len(p.idle) >= learning { // one more is dialled now
		if l.now.Sub(oldest.since) < proven {
			oldest = o
		}
		l.outlived(oldest)
	}
	return false
}

// outlived closes an idle connection that its endpoint would have kept.
func (l *loop) outlived(o *origin) {
	o.pool.to.Outlived(l.now.Sub(o.since))
	l.discard(o)
}

// lost closes an idle connection that its endpoint has ended, or spoke on.
func (l *loop) lost(o *origin) {
	o.pool.to.Closed(l.now.Sub(o.since))
	l.discard(o)
}
