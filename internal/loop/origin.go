//go:build linux

package loop

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/upstream"
)

// What a loop keeps of idle upstream connections.
const (
	maxIdle    = 256 // per endpoint
	idleAtMost = 55 * time.Second
)

// origin is a connection to an endpoint.
type origin struct {
	sock
	timer      timer
	pool       *pool
	client     *conn // whose exchange it carries; nil while idle
	connecting bool
	reused     bool
	since      time.Time // when it became idle
	turn       turn      // in which that was
}

// pool is a loop's idle connections to one endpoint, the latest last.
type pool struct {
	to   *upstream.Endpoint
	idle []*origin
	addr netip.AddrPort
	gone bool // forgotten: keep nothing
}

func (l *loop) poolOf(e *upstream.Endpoint) *pool {
	p := l.pools[e]
	if p == nil {
		p = &pool{to: e}
		p.addr, _ = netip.ParseAddrPort(e.Address)
		l.pools[e] = p
	}
	return p
}

// dial begins a connection to p's address.
func (l *loop) dial(p *pool) (*origin, error) {
	fd, err := connect(p.addr)
	for scarce(err) && l.dropIdle() {
		fd, err = connect(p.addr)
	}
	if err != nil {
		return nil, err
	}
	o := &origin{sock: sock{fd: int32(fd)}, pool: p, connecting: true}
	o.timer.origin = o
	if err := l.watch(fd, nil, o); err != nil {
		l.discard(o)
		return nil, err
	}
	return o, nil
}

// scarce tells whether there was no descriptor to be had.
func scarce(err error) bool { return err == unix.EMFILE || err == unix.ENFILE }

// dropIdle closes an idle connection for its descriptor, where there is one.
func (l *loop) dropIdle() bool {
	for _, p := range l.pools {
		if len(p.idle) > 0 {
			l.discard(p.idle[0])
			return true
		}
	}
	return false
}

// keep puts o, whose exchange is complete, back for the next; for idle at most,
// where that is not 0.
func (l *loop) keep(o *origin, idle time.Duration) {
	o.client = nil
	if idle == 0 || idle > idleAtMost {
		idle = idleAtMost
	}
	if o.pool.gone || len(o.pool.idle) >= maxIdle || o.hup || o.broken || o.readable || idle < 0 {
		l.discard(o)
		return
	}
	o.since, o.turn = l.now, l.turn
	o.pool.idle = append(o.pool.idle, o)
	l.wheel.set(&o.timer, l.now, idle)
}

// discard closes o, idle or not.
func (l *loop) discard(o *origin) {
	for i, other := range o.pool.idle {
		if other == o {
			o.pool.idle = append(o.pool.idle[:i], o.pool.idle[i+1:]...)
			break
		}
	}
	o.client = nil
	o.timer.unlink()
	l.unwatch(int(o.fd))
	_ = unix.Close(int(o.fd))
}

func (l *loop) empty(p *pool) {
	for len(p.idle) > 0 {
		l.discard(p.idle[len(p.idle)-1])
	}
}

func (l *loop) forget(e *upstream.Endpoint) {
	if p := l.pools[e]; p != nil {
		p.gone = true
		l.empty(p)
		delete(l.pools, e)
	}
}

// connected tells how connecting failed for an origin that became writable;
// None where it did not.
func (o *origin) connected() upstream.Outcome {
	code, err := unix.GetsockoptInt(int(o.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	o.connecting = false
	switch {
	case err == nil && code == 0:
		return upstream.None
	case unix.Errno(code) == unix.ECONNRESET:
		return upstream.Reset
	}
	return upstream.ConnectFailed
}
