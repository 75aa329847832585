package standard

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"rgate/internal/link"
	"rgate/internal/upstream"
)

// What is kept of idle connections to endpoints.
const (
	mostIdle   = 256 // per endpoint
	idleAtMost = 55 * time.Second
	sweepEvery = time.Second
	firstSweep = 100 * time.Millisecond // so that it is soon known whether connections last
)

// upstreamConn is a connection to an endpoint.
type upstreamConn struct {
	net.Conn
	secure *link.Conn // itself, where it is TLS
	trunk  *trunk     // of which it is a stream, where that is spoken
	to     *upstream.Endpoint
	sight  sight
	reused bool
	keeps  time.Duration // for which it may be used again; see wire.AppendResponseHead
	since  time.Time     // when it became idle
	rested time.Duration // for which it was idle, before the exchange under way
}

// CloseWrite ends one direction of an upgraded connection.
func (c *upstreamConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// look tells of an idle connection whether it is silent, or ended.
func (c *upstreamConn) look() (silent, ended bool) {
	if c.secure != nil {
		return c.secure.Look()
	}
	return c.sight.look()
}

// reusable tells whether it is of a kind that is kept.
func (c *upstreamConn) reusable() bool { return c.trunk == nil && !c.to.Link.Alone() }

// leave closes a connection that nobody else uses, in order.
func (c *upstreamConn) leave() {
	if c.secure != nil {
		_ = c.secure.Leave()
		return
	}
	_ = c.Close()
}

// pools are the idle connections to all endpoints, the latest last.
type pools struct {
	mu     sync.Mutex
	idle   map[*upstream.Endpoint][]*upstreamConn
	timer  *time.Timer // runs while there are any
	closed bool
}

// take is an idle connection to an endpoint that has said nothing since; nil for
// none. With sure it is one that the endpoint is known not to be closing now.
func (p *pools) take(to *upstream.Endpoint, sure bool) *upstreamConn {
	for now := time.Now(); ; {
		c := p.pop(to, now, sure)
		if c == nil {
			return nil
		}
		if c.good(now) {
			c.rested = now.Sub(c.since)
			to.Outlived(c.rested)
			return c
		}
		c.leave()
	}
}

// good tells whether c can be used again. Its endpoint is known by what it did.
func (c *upstreamConn) good(now time.Time) bool {
	idle := now.Sub(c.since)
	if idle >= c.keeps {
		return false
	}
	silent, ended := c.look()
	if ended {
		c.to.Closed(idle)
	}
	return silent
}

func (p *pools) pop(to *upstream.Endpoint, now time.Time, sure bool) *upstreamConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle[to]
	n := len(idle)
	if n == 0 || sure && !(canLook && to.Fresh(now.Sub(idle[n-1].since))) {
		return nil
	}
	c := idle[n-1]
	idle[n-1] = nil
	p.set(to, idle[:n-1])
	return c
}

// set keeps no entry for an endpoint without connections.
func (p *pools) set(to *upstream.Endpoint, idle []*upstreamConn) {
	if len(idle) == 0 {
		delete(p.idle, to)
		return
	}
	p.idle[to] = idle
}

// keep puts c, whose exchange is complete, back for the next.
func (p *pools) keep(c *upstreamConn) {
	if c.keeps == 0 || c.keeps > idleAtMost {
		c.keeps = idleAtMost
	}
	c.since = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle[c.to]
	if p.closed || c.to.Draining() || c.keeps < 0 || len(idle) >= mostIdle {
		c.leave()
		return
	}
	if p.idle == nil {
		p.idle = map[*upstream.Endpoint][]*upstreamConn{}
	}
	p.idle[c.to] = append(idle, c)
	if p.timer == nil {
		p.timer = time.AfterFunc(firstSweep, p.sweep)
	}
}

// sweep closes what is not to be used again, or was ended by its endpoint.
func (p *pools) sweep() {
	p.mu.Lock()
	all := make([]*upstream.Endpoint, 0, len(p.idle))
	for to := range p.idle {
		all = append(all, to)
	}
	p.mu.Unlock()
	for _, to := range all { // one by one, as looking takes a moment
		p.weed(to)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer == nil {
		return
	}
	if len(p.idle) == 0 {
		p.timer = nil
		return
	}
	p.timer.Reset(sweepEvery)
}

func (p *pools) weed(to *upstream.Endpoint) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle[to]
	kept := idle[:0]
	for _, c := range idle {
		if c.good(now) {
			to.Lasted(now.Sub(c.since))
			kept = append(kept, c)
		} else {
			c.leave()
		}
	}
	clear(idle[len(kept):])
	p.set(to, kept)
}

// noDescriptor tells whether there was no descriptor to be had.
func noDescriptor(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// shed closes an idle connection for its descriptor; false where there is none.
func (p *pools) shed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for to, idle := range p.idle {
		idle[0].leave()
		copy(idle, idle[1:])
		idle[len(idle)-1] = nil
		p.set(to, idle[:len(idle)-1])
		return true
	}
	return false
}

// forget closes the idle connections to an endpoint. What is in use will not be
// kept, as the endpoint is leaving.
func (p *pools) forget(to *upstream.Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle[to] {
		c.leave()
	}
	delete(p.idle, to)
}

// close closes all, and keeps nothing from now on.
func (p *pools) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, idle := range p.idle {
		for _, c := range idle {
			c.leave()
		}
	}
	clear(p.idle)
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// isEnd tells whether a read found the end of the stream.
func isEnd(err error) bool { return errors.Is(err, io.EOF) }
