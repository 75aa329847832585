package standard

import (
	"context"
	"net"
	"sync"
	"time"

	"rgate/internal/upstream"
)

// What ends the accepting of connections: none has waited for quietQueue, or
// the patience for that is over because more and more come.
const (
	quietQueue    = 10 * time.Millisecond
	queuePatience = time.Second
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

// stopping tells whether Shutdown was called: the next answer is the last.
func (e *Engine) stopping() bool { return e.linger.Load() != 0 }

// doors are the listeners that an engine serves.
type doors struct {
	mu     sync.Mutex
	open   []*listener
	closed bool
}

// add notes l; false where it is too late for that.
func (d *doors) add(l *listener) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.open = append(d.open, l)
	}
	return !d.closed
}

// close closes all listeners once their queues are empty.
func (d *doors) close(ctx context.Context) {
	d.mu.Lock()
	d.closed = true
	open := d.open
	d.mu.Unlock()
	for _, l := range open {
		l.drain()
	}
	for _, l := range open {
		select {
		case <-l.closed:
		case <-ctx.Done():
			_ = l.Close()
		}
	}
}

// timed is a listener whose Accept need not wait for ever.
type timed interface{ SetDeadline(time.Time) error }

// drain makes Accept close l once nothing waits in its queue. The socket must
// not be shut down instead: another process may go on accepting from it.
func (l *listener) drain() {
	l.patience.Store(upstream.Clock(time.Now().Add(queuePatience)))
	t, ok := l.Listener.(timed)
	if !ok {
		_ = l.Close() // no socket: nothing waits in a queue
		return
	}
	_ = t.SetDeadline(time.Now().Add(quietQueue)) // fails where it is closed already
}

// goOn tells whether a listener whose Accept ended with err accepts on.
func (l *listener) goOn(err error) bool {
	now := time.Now()
	patient := upstream.Clock(now) < l.patience.Load()
	if err != nil && !(patient && isTimeout(err) && sightOf(l.Listener).waiting()) {
		return false
	}
	until := now
	if patient {
		until = now.Add(quietQueue)
	}
	if t, ok := l.Listener.(timed); ok {
		_ = t.SetDeadline(until) // as in drain
	}
	return true
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}
