//go:build linux

package loop

import (
	"time"

	"rgate/internal/upstream"
)

// wait waits for t beside the loop and posts how it ended.
func (l *loop) wait(c *conn, serial int, t *upstream.Ticket, quit chan struct{}, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	ready := false
	select {
	case <-t.Ready:
		ready = true
	case <-timer.C:
	case <-quit:
		return
	}
	l.post(func() {
		w := c.work
		if w == nil || w.serial != serial || w.ticket != t {
			return // its client went away meanwhile, and gave the place back
		}
		w.ticket = nil
		if ready {
			w.x.Admitted()
			l.attempt(c, upstream.None)
		} else {
			w.x.Abandoned(t)
			l.answer(c)
		}
		l.drive(c)
	})
}
