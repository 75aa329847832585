package standard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"rgate/internal/config"
	"rgate/internal/h2"
	"rgate/internal/upstream"
)

// mostStreams is how many requests one connection to an endpoint carries at once,
// where that takes as many.
const mostStreams = 100

// trunk is a connection to an endpoint that speaks HTTP/2, for several requests at
// once. Who asks for a connection gets a stream of it, which speaks HTTP/1.1 in
// memory.
type trunk struct {
	conn   *h2.Conn
	socket net.Conn
}

// trunks are those to all endpoints. Each has a goroutine that reads from it and
// takes it out once it has ended, and one that writes.
type trunks struct {
	mu      sync.Mutex
	open    map[*upstream.Endpoint][]*trunk
	dials   map[*upstream.Endpoint]*dial
	all     map[*trunk]struct{} // those that nobody shares, too
	closed  bool
	running sync.WaitGroup
}

// dial is a trunk that is being made: who else wants one waits for it.
type dial struct {
	done chan struct{}
	err  error
}

var (
	errNoStreams = errors.New("the endpoint lets nobody open a stream (SETTINGS_MAX_CONCURRENT_STREAMS is 0)")
	errNoHTTP2   = errors.New("the endpoint does not speak HTTP/2 (scheme: http or https is for HTTP/1.1)")
)

// branch is a stream to an endpoint, of a trunk that is there, unless it has to be
// fresh, or of a new one.
func (e *Engine) branch(ctx context.Context, to *upstream.Endpoint, cfg *config.Config, fresh bool) (*upstreamConn, error) {
	t := &e.trunks
	for {
		c, mine, other := t.ask(to, fresh)
		switch {
		case c != nil:
			return c, nil
		case other != nil:
			select {
			case <-other.done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			if other.err != nil {
				return nil, other.err
			}
			fresh = false // it is
		default:
			one, err := e.plant(ctx, to, cfg)
			c := t.dialled(to, mine, one, &err)
			return c, err
		}
	}
}

// lone is a stream of a trunk that nobody shares, as it began with whose it is.
func (e *Engine) lone(ctx context.Context, to *upstream.Endpoint, cfg *config.Config, client, local netip.AddrPort) (*upstreamConn, error) {
	conn, err := e.dial(ctx, to, client, local)
	if err != nil {
		return nil, err
	}
	one, err := e.grow(ctx, to, cfg, conn)
	if err != nil {
		return nil, err
	}
	c := one.branch(to)
	if c == nil {
		one.conn.Kill(errNoStreams)
		return nil, errNoStreams
	}
	c.Conn = &onlyStream{c.Conn, one}
	return c, nil
}

// onlyStream ends with its trunk.
type onlyStream struct {
	net.Conn
	of *trunk
}

// Close implements net.Conn.
func (s *onlyStream) Close() error {
	err := s.Conn.Close()
	s.of.conn.Leave()
	return err
}

// branch is a stream of o; nil where there is no room.
func (o *trunk) branch(to *upstream.Endpoint) *upstreamConn {
	s, rested := o.conn.Ask()
	if s == nil {
		return nil
	}
	return &upstreamConn{Conn: s, to: to, trunk: o, reused: rested >= 0, rested: max(rested, 0), since: time.Now()}
}

// ask is a stream of a trunk that is there, or who makes one: this caller, or the
// other.
func (t *trunks) ask(to *upstream.Endpoint, fresh bool) (c *upstreamConn, mine, other *dial) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !fresh {
		for _, one := range t.open[to] {
			if c := one.branch(to); c != nil {
				return c, nil, nil
			}
		}
	}
	if d := t.dials[to]; d != nil {
		return nil, nil, d
	}
	if t.dials == nil {
		t.dials, t.open = map[*upstream.Endpoint]*dial{}, map[*upstream.Endpoint][]*trunk{}
	}
	mine = &dial{done: make(chan struct{})}
	t.dials[to] = mine
	return nil, mine, nil
}

// dialled takes in a trunk that was made, and gives out its first stream.
func (t *trunks) dialled(to *upstream.Endpoint, d *dial, one *trunk, err *error) (c *upstreamConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if *err == nil {
		if c = one.branch(to); c == nil {
			*err = errNoStreams
			one.conn.Kill(*err)
		} else if one.conn.Err() == nil {
			t.open[to] = append(t.open[to], one)
		}
	}
	d.err = *err
	delete(t.dials, to)
	close(d.done)
	return c
}

// plant makes a trunk.
func (e *Engine) plant(ctx context.Context, to *upstream.Endpoint, cfg *config.Config) (*trunk, error) {
	conn, err := e.dial(ctx, to, netip.AddrPort{}, netip.AddrPort{})
	for noDescriptor(err) && e.pools.shed() {
		conn, err = e.dial(ctx, to, netip.AddrPort{}, netip.AddrPort{})
	}
	if err != nil {
		return nil, err
	}
	return e.grow(ctx, to, cfg, conn)
}

// grow speaks HTTP/2 on a new connection, and returns once the endpoint does.
func (e *Engine) grow(ctx context.Context, to *upstream.Endpoint, cfg *config.Config, conn *upstreamConn) (*trunk, error) {
	limits, idle := &cfg.Limits, func() time.Duration { return idleAtMost }
	const words = 128 // what the head of HTTP/1.1 has besides, and the fields
	one := &trunk{socket: conn, conn: h2.New(h2.Options{
		Client: true, Secure: to.Link.Secure(), Streams: mostStreams,
		Head: max(limits.ResponseHeaderBytes-words, words), Fields: max(limits.ResponseHeaderCount-8, 1),
	})}
	shell := h2.Session{Idle: idle, Head: func() time.Duration { return cfg.Timeouts.ResponseHeader }}
	if !e.trunks.run(func() {
		err := shell.Serve(one.conn, &patient{one.socket, cfg.Timeouts.Idle}, nil)
		_ = one.socket.Close()
		e.trunks.remove(to, one)
		e.log.Debug("an HTTP/2 connection to an endpoint ended", "endpoint", to.Name, "address", to.Address, "cause", err)
	}, one) {
		_ = one.socket.Close()
		return nil, context.Canceled
	}
	var err error
	select {
	case <-one.conn.Ready():
		if err = one.conn.Err(); err != nil {
			err = notHTTP2(err)
		}
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		one.conn.Kill(err)
		_ = one.socket.Close()
		return nil, err
	}
	return one, nil
}

// notHTTP2 is why a trunk did not come about.
func notHTTP2(err error) error {
	if wrong := (*h2.ConnError)(nil); errors.As(err, &wrong) && !wrong.Remote || isEnd(err) {
		return errNoHTTP2
	}
	return err
}

// run has f go on beside; false where all is over.
func (t *trunks) run(f func(), one *trunk) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	if t.all == nil {
		t.all = map[*trunk]struct{}{}
	}
	t.all[one] = struct{}{}
	t.running.Go(f)
	return true
}

func (t *trunks) remove(to *upstream.Endpoint, one *trunk) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, one)
	if at := slices.Index(t.open[to], one); at >= 0 {
		t.open[to] = slices.Delete(t.open[to], at, at+1)
	}
	if len(t.open[to]) == 0 {
		delete(t.open, to)
	}
}

// forget ends the trunks to an endpoint once their streams have.
func (t *trunks) forget(to *upstream.Endpoint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range t.open[to] {
		one.conn.Leave()
	}
}

// close ends all, and returns once they have.
func (t *trunks) close() {
	t.mu.Lock()
	t.closed = true
	for one := range t.all {
		one.conn.Kill(h2.ErrLeft)
		_ = one.socket.Close()
	}
	t.mu.Unlock()
	t.running.Wait()
}

// patient is a connection to an endpoint that has to take some of what is written
// now and then.
type patient struct {
	net.Conn
	patience time.Duration
}

// Write implements net.Conn.
func (p *patient) Write(b []byte) (written int, err error) {
	for {
		if err := p.SetWriteDeadline(time.Now().Add(p.patience)); err != nil {
			return written, err
		}
		n, err := p.Conn.Write(b[written:])
		if written += n; n == 0 || !isTimeout(err) {
			return written, err
		}
	}
}
