package standard

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// listener accepts client connections until its engine is shut down.
type listener struct {
	net.Listener
	engine   *Engine
	patience atomic.Int64 // until when it drains, by upstream.Clock; 0 while it does not
	once     sync.Once
	closed   chan struct{}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	var err error // closing it again is none
	l.once.Do(func() {
		err = l.Listener.Close()
		close(l.closed)
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

// serve accepts until l is closed, or cannot be accepted from.
func (l *listener) serve() error {
	l.engine.running.begin()
	defer l.engine.running.end()
	defer l.Close()
	pause, complained := firstPause, time.Time{}
	for {
		c, err := l.Accept()
		draining := l.patience.Load() > 0
		switch {
		case err == nil:
			pause = firstPause
			l.engine.open(c)
			if draining {
				l.goOn(nil)
			}
		case draining && !l.goOn(err):
			return nil
		case draining:
		case !scarce(err):
			return err
		default:
			if now := time.Now(); now.Sub(complained) >= complaintEvery {
				complained = now
				l.engine.log.Error("connections cannot be accepted, and wait; raise the limit of open files (LimitNOFILE=, ulimit -n) or lower limits.connections", "error", err)
			}
			l.rest(pause)
			pause = min(2*pause, longestPause)
		}
	}
}

func (l *listener) rest(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.closed:
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
func (e *Engine) open(conn net.Conn) {
	c := newClient(e, conn)
	e.running.begin()
	if e.crowd.admit(c, c.config()) {
		go c.serve()
		return
	}
	e.log.Debug("a connection above the limits was closed", "client", c.addr.String())
	if !e.crowd.keep(c) {
		_ = c.Close()
		e.running.end()
		return
	}
	go c.turnAway()
}
