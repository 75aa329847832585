package standard

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"rgate/internal/listen"
	"rgate/internal/upstream"
)

// What ends the accepting of connections: none has waited for quietQueue. Where
// the patience for that is over, because more and more come, a shorter while
// will do, and so will that more were taken than wait in any queue.
const (
	quietQueue    = 10 * time.Millisecond
	queuePatience = time.Second
	hurriedQueue  = time.Millisecond
	backlog       = 8 << 10
)

// Shutdown takes the connections that wait to be accepted and then accepts no
// more. A request that comes on a kept-alive connection is still answered, with
// Connection: close; one that stays quiet is closed linger after its last
// activity or the beginning of the shutdown, whichever is later.
//
// What is in flight is waited for, WebSockets too, until ctx ends: then the rest
// is cut, and the error is ctx's.
func (e *Engine) Shutdown(ctx context.Context, linger time.Duration) error {
	defer e.pools.close()
	defer e.trunks.close()
	defer e.cut()
	e.linger.CompareAndSwap(0, int64(max(linger, 1)))
	e.doors.close(ctx)
	for _, c := range e.crowd.all(false) {
		c.hurry()
	}
	err := e.running.wait(ctx)
	if err == nil {
		return nil
	}
	e.cut()
	for _, c := range e.crowd.all(true) {
		_ = c.Close()
	}
	_ = e.running.wait(context.Background()) // nothing waits any more
	return err
}

// Drain accepts no more from l, once what waits to be accepted is, and lets the
// exchanges of its connections come to their end, as Shutdown does with all.
// That they have, l tells. It does not wait.
func (e *Engine) Drain(l *listen.Listener, linger time.Duration) {
	l.Drain(linger)
	if one := e.doors.take(l); one != nil {
		one.drain()
	}
	for _, c := range e.crowd.all(false) {
		if c.by == l {
			c.hurry()
		}
	}
}

// Cut closes the connections that came by l.
func (e *Engine) Cut(l *listen.Listener) {
	for _, c := range e.crowd.all(false) {
		if c.by == l {
			_ = c.Close()
		}
	}
}

// stopping tells whether Shutdown was called: the next answer is the last.
func (e *Engine) stopping() bool { return e.linger.Load() != 0 }

// doors are the listeners that an engine serves.
type doors struct {
	mu     sync.Mutex
	shut   chan struct{} // closed once all are
	open   []*door
	closed bool
}

// add notes a door; false where it is too late for that.
func (d *doors) add(one *door) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.open = append(d.open, one)
	}
	return !d.closed
}

// close closes all listeners once their queues are empty.
func (d *doors) close(ctx context.Context) {
	d.mu.Lock()
	first := !d.closed
	d.closed = true
	open := d.open
	d.mu.Unlock()
	if first {
		defer close(d.shut)
	}
	for _, one := range open {
		one.drain()
	}
	for _, one := range open {
		select {
		case <-one.closed:
		case <-ctx.Done():
			_ = one.Close()
		}
	}
}

// take gives out the door of l, which is no longer among the others; nil where
// there is none.
func (d *doors) take(l *listen.Listener) *door {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := slices.IndexFunc(d.open, func(one *door) bool { return one.Listener == l })
	if at < 0 {
		return nil
	}
	one := d.open[at]
	d.open = append(slices.Clone(d.open[:at]), d.open[at+1:]...)
	return one
}

// timed is a listener whose Accept need not wait for ever.
type timed interface{ SetDeadline(time.Time) error }

// drain makes Accept close d once nothing waits in its queue. The socket must
// not be shut down instead: another process may go on accepting from it.
func (d *door) drain() {
	d.patience.Store(upstream.Clock(time.Now().Add(queuePatience)))
	t, ok := d.Listener.Listener.(timed)
	if !ok {
		_ = d.Close() // no socket: nothing waits in a queue
		return
	}
	_ = t.SetDeadline(time.Now().Add(quietQueue)) // fails where it is closed already
}

// goOn tells whether a door whose Accept ended with err accepts on. It does while
// something waits: closing the socket would reset that.
func (d *door) goOn(err error) bool {
	now, pause := time.Now(), quietQueue
	if upstream.Clock(now) >= d.patience.Load() {
		pause = hurriedQueue
		d.late++
	}
	if d.late > backlog || err != nil && !(isTimeout(err) && sightOf(d.Listener.Listener).waiting()) {
		return false
	}
	if t, ok := d.Listener.Listener.(timed); ok {
		_ = t.SetDeadline(now.Add(pause)) // as in drain
	}
	return true
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}
