//go:build linux

package loop

import (
	"time"

	"rgate/internal/upstream"
)

// enqueue has c wait for a place at the full backend.
func (l *loop) enqueue(c *conn) {
	w := c.work
	serial := w.serial
	t := w.x.Enqueue(func() {
		l.post(func() {
			if c.work == w && w.serial == serial && c.phase == phaseQueue {
				l.admitted(c)
			}
		})
	})
	if t == nil {
		w.x.Abandoned(nil)
		l.answer(c)
		return
	}
	w.ticket, c.phase = t, phaseQueue
	l.wheel.set(&c.timer, l.now, max(w.x.QueueTime(), time.Nanosecond))
}

// admitted goes on with c, which has its place.
func (l *loop) admitted(c *conn) {
	w := c.work
	w.ticket, c.timer.at = nil, 0
	w.x.Admitted()
	l.attempt(c, upstream.None)
	l.drive(c)
}

// overdue answers c, which has waited for long enough.
func (l *loop) overdue(c *conn) {
	w := c.work
	t := w.ticket
	w.ticket = nil
	w.x.Abandoned(t)
	l.answer(c)
	l.drive(c)
}
