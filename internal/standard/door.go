package standard

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"rgate/internal/listen"
)

// door accepts client connections from a listener until that drains.
type door struct {
	*listen.Listener
	engine   *Engine
	patience atomic.Int64 // until when it drains, by upstream.Clock; 0 while it does not
	late     int          // how often it went on after that
	once     sync.Once
	closed   chan struct{}
}

// Close implements net.Listener.
func (d *door) Close() error {
	var err error // closing it again is none
	d.once.Do(func() {
		err = d.Listener.Close()
		close(d.closed)
	})
	return err
}

// The pauses between tries where nothing can be accepted, and how often that is
// logged at most.
const (
	firstPause     = 5 * time.Millisecond
	longestPause   = time.Second
	complaintEvery = time.Minute
)

// serve accepts until d is closed, or cannot be accepted from.
func (d *door) serve() error {
	defer d.engine.running.end()
	defer d.Leave()
	defer d.Close()
	pause, complained := firstPause, time.Time{}
	for {
		c, err := d.Accept()
		draining := d.patience.Load() > 0
		switch {
		case err == nil:
			pause = firstPause
			d.engine.open(c, d.Listener)
			if draining {
				d.goOn(nil)
			}
		case draining && !d.goOn(err):
			return nil
		case draining:
		case noDescriptor(err) && d.engine.pools.shed():
		case !scarce(err):
			return err
		default:
			if now := time.Now(); now.Sub(complained) >= complaintEvery {
				complained = now
				d.engine.log.Error("connections cannot be accepted, and wait; raise the limit of open files (LimitNOFILE=, ulimit -n) or lower limits.connections", "error", err)
			}
			d.rest(pause)
			pause = min(2*pause, longestPause)
		}
	}
}

func (d *door) rest(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.closed:
	}
}

// scarce tells whether an accept failed for want of something, or for that one
// connection alone.
func scarce(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// open takes a connection in. One above the limits is told so and closed: were it
// left waiting, a few clients that hold on to their connections could keep
// everybody out without anyone's knowing.
func (e *Engine) open(conn net.Conn, by *listen.Listener) {
	c := newClient(e, conn, by)
	e.running.begin()
	if e.crowd.admit(c, c.config()) {
		go c.serve()
		return
	}
	if c.behind.IsValid() {
		c.addr = c.behind
	}
	e.log.Debug("a connection above the limits was closed", "client", c.addr.String())
	if !e.crowd.keep(c) {
		_ = c.Close()
		c.by.Release()
		e.running.end()
		return
	}
	go c.turnAway()
}
