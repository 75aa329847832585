//go:build linux

package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"rgate/bench/internal/socket"
)

// Options say what to ask, how hard and for how long.
type Options struct {
	Address     netip.AddrPort
	Connections int
	Request     Request
	Rate        float64       // requests per second of an open loop; 0 for a closed one
	Warmup      time.Duration // asked as hard, not measured
	Duration    time.Duration
	Secure      *Secure   `json:",omitempty"` // nil for plain HTTP
	Handshake   Handshake `json:",omitempty"` // of which kind, where each request has a connection of its own
	// Clock is read at both ends of the measured time: the processor time of
	// whatever is measured. Nil for none.
	Clock func() (time.Duration, error) `json:"-"`
}

// Result is what came of it.
type Result struct {
	Requests   uint64
	Errors     uint64
	FirstError string        `json:",omitempty"`
	Reconnects uint64        // connections that the other side closed between answers
	Elapsed    time.Duration // that was measured
	CPU        time.Duration // by Options.Clock
	P50, P99   time.Duration
}

// stalled is the age at which a request counts as one that is never answered.
const stalled = time.Second

// mostErrors ends a run that makes no sense any more.
const mostErrors = 1000

// generator holds one run.
type generator struct {
	Options
	poller *socket.Poller
	config *tls.Config // nil for plain HTTP
	conns  map[int32]*connection
	buf    []byte
	pace   *pace // nil in a closed loop
	free   []*connection

	latency Histogram
	result  Result
}

// Run asks until the time is over. An error means that it could not go on;
// wrong answers are counted in the Result.
func Run(o Options) (Result, error) {
	if o.Handshake != "" {
		return shakeHands(o)
	}
	g := &generator{Options: o, conns: map[int32]*connection{}, buf: make([]byte, 256<<10)}
	var err error
	if g.poller, err = socket.NewPoller(); err != nil {
		return Result{}, err
	}
	if o.Secure != nil {
		g.config = o.Secure.config(nil)
	}
	defer g.poller.Close()
	defer func() {
		for _, c := range g.conns {
			socket.Reset(c.fd)
		}
	}()
	if o.Rate > 0 {
		if g.pace, err = newPace(o.Rate, g.poller); err != nil {
			return Result{}, err
		}
		defer g.pace.close()
	}
	for i := range o.Connections {
		if err := g.open(o.Request.Bytes(o.Request.Paths[i%len(o.Request.Paths)])); err != nil {
			return Result{}, err
		}
	}
	if err := g.run(time.Now()); err != nil {
		return Result{}, err
	}
	return g.result, nil
}

// open makes a connection and, in a closed loop, sets it to work.
func (g *generator) open(request []byte) error {
	c, err := dial(&g.Options, g.config, request)
	if err != nil {
		return err
	}
	if err := g.poller.Add(c.fd); err != nil {
		socket.Reset(c.fd)
		return err
	}
	g.conns[int32(c.fd)] = c
	if g.pace != nil {
		g.free = append(g.free, c)
		return nil
	}
	return c.send(time.Now())
}

// run is the loop: first the warm-up, then what counts.
func (g *generator) run(start time.Time) error {
	if g.pace != nil {
		g.pace.start(start)
	}
	measureAt, end := start.Add(g.Warmup), start.Add(g.Warmup+g.Duration)
	var began time.Time
	for {
		events, err := g.poller.Wait(20 * time.Millisecond)
		if err != nil {
			return err
		}
		now := time.Now()
		switch {
		case began.IsZero() && !now.Before(measureAt):
			g.latency.Reset()
			g.result = Result{}
			if g.result.CPU, err = g.cpu(); err != nil {
				return err
			}
			began, end = now, now.Add(g.Duration)
		case !began.IsZero() && !now.Before(end):
			return g.finish(began, now)
		}
		for _, e := range events {
			if err := g.handle(e.Fd, socket.Ended(e)); err != nil {
				return err
			}
		}
		if g.pace != nil {
			if err := g.dispatch(time.Now()); err != nil {
				return err
			}
		}
		if g.result.Errors > mostErrors {
			return fmt.Errorf("too many errors: %s", g.result.FirstError)
		}
	}
}

func (g *generator) finish(began, now time.Time) error {
	used, err := g.cpu()
	if err != nil {
		return err
	}
	g.result.CPU = used - g.result.CPU
	g.result.Elapsed = now.Sub(began)
	g.result.Requests = g.latency.Count()
	for _, c := range g.conns {
		if !c.pending {
			continue
		}
		if c.since.Before(began) && now.Sub(c.since) > stalled {
			g.fail(errors.New("a request had no answer the whole time"))
		}
		if g.pace != nil { // what still waits is part of an open loop's truth
			g.latency.Add(now.Sub(c.since))
		}
	}
	for g.pace != nil {
		due, ok := g.pace.take(now)
		if !ok {
			break
		}
		g.latency.Add(now.Sub(due))
	}
	g.result.P50, g.result.P99 = g.latency.Quantile(0.5), g.latency.Quantile(0.99)
	return nil
}

func (g *generator) cpu() (time.Duration, error) {
	if g.Clock == nil {
		return 0, nil
	}
	return g.Clock()
}

// handle goes on with a connection on which something changed.
func (g *generator) handle(fd int32, ended bool) error {
	c := g.conns[fd]
	if c == nil { // the pace, or closed earlier among these events
		if g.pace != nil && fd == g.pace.fd {
			g.pace.tick()
		}
		return nil
	}
	err := c.flush()
	if err == nil {
		var done bool
		if done, err = c.receive(g.buf, g.Request.Answer, ended); done {
			err = g.next(c)
		}
	}
	if err != nil {
		return g.replace(c, err)
	}
	return nil
}

// next counts an answer and gives its connection the next request.
func (g *generator) next(c *connection) error {
	now := time.Now()
	g.latency.Add(now.Sub(c.since))
	if g.pace == nil {
		return c.send(now)
	}
	if due, ok := g.pace.take(now); ok {
		return c.send(due)
	}
	g.free = append(g.free, c)
	return nil
}

// dispatch sends the requests that are due on the connections that are free.
func (g *generator) dispatch(now time.Time) error {
	for len(g.free) > 0 {
		due, ok := g.pace.take(now)
		if !ok {
			return nil
		}
		c := g.free[len(g.free)-1]
		g.free = g.free[:len(g.free)-1]
		if g.conns[int32(c.fd)] != c { // replaced while it was free
			continue
		}
		if err := c.send(due); err != nil {
			if err := g.replace(c, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// replace opens a connection in the place of one that failed. A request that
// was on its way is asked again in a closed loop, and lost in an open one.
func (g *generator) replace(c *connection, cause error) error {
	delete(g.conns, int32(c.fd))
	socket.Reset(c.fd)
	if errors.Is(cause, errGone) {
		g.result.Reconnects++
	} else {
		g.fail(cause)
	}
	return g.open(c.request)
}

func (g *generator) fail(err error) {
	if g.result.Errors++; g.result.FirstError == "" {
		g.result.FirstError = err.Error()
	}
}
