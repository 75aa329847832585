package standard

import (
	"context"
	"net"
	"sync"
	"time"
)

// What ends the accepting of connections: none has waited for quietQueue, or
// the patience for that is over because more and more come.
const (
	quietQueue    = 10 * time.Millisecond
	queuePatience = time.Second
)

// Shutdown takes the connections that wait to be accepted and then accepts no
// more. A request that comes on a kept-alive connection is still answered,
// with Connection: close; one that stays quiet is closed linger after its last
// activity or the beginning of the shutdown, whichever is later. (net/http
// would close it at once, and with it lose the request a client just sends.)
//
// What is in flight is waited for, upgraded connections too, until ctx ends:
// then the rest is cut, and the error is ctx's.
func (e *Engine) Shutdown(ctx context.Context, linger time.Duration) error {
	defer e.closeTransports()
	defer e.cut()
	began := time.Now()
	e.stopping.Store(true)
	e.doors.close(ctx)
	err := e.crowd.disperse(ctx, began, linger)
	if err == nil {
		err = e.server.Shutdown(ctx)
	}
	if err == nil {
		err = e.running.wait(ctx) // net/http does not count upgraded connections
	}
	if err == nil {
		return nil
	}
	e.cut()
	_ = e.server.Close() // what it says is that the listener is closed already
	_ = e.running.wait(context.Background())
	return err
}

// disperse closes connections once they have been quiet for linger, until all
// have gone.
func (c *crowd) disperse(ctx context.Context, began time.Time, linger time.Duration) error {
	pause := time.Millisecond
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for c.closeQuiet(began, linger) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		pause = min(2*pause, 50*time.Millisecond)
		timer.Reset(pause)
	}
	return nil
}

// closeQuiet tells how many connections are left.
func (c *crowd) closeQuiet(began time.Time, linger time.Duration) int {
	var over []*clientConn
	now := time.Now()
	c.mu.Lock()
	left := len(c.conns)
	for conn := range c.conns {
		since := conn.quietSince()
		if !since.IsZero() && now.Sub(since) >= linger && now.Sub(began) >= linger && !waiting(conn.Conn) {
			over = append(over, conn)
		}
	}
	c.mu.Unlock()
	for _, conn := range over {
		_ = conn.Close()
	}
	return left - len(over)
}

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
	l.patience.Store(time.Now().Add(queuePatience).UnixNano())
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
	patient := now.UnixNano() < l.patience.Load()
	if err != nil && !(patient && isTimeout(err) && waiting(l.Listener)) {
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
