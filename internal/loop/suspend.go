//go:build linux

package loop

import (
	"time"

	"rgate/internal/proxy"
	"rgate/internal/upstream"
)

// wait is one job's time: what its wake leads back to, and its context. It is
// made anew for each, so that one that is woken late meets nobody else's.
type wait struct {
	proxy.Term
	loop   *loop
	client *conn
}

// wake has the loop go on with who waits. Any goroutine may call it.
func (w *wait) wake() {
	l := w.loop
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.woken = append(l.woken, w)
		l.rouse()
	}
}

// follow does what proxy says is to be done with c's request.
func (l *loop) follow(c *conn, v proxy.Verdict) {
	switch v {
	case proxy.Wait:
		l.suspend(c)
	case proxy.Reply:
		l.answer(c)
	default:
		c.timer.at = 0
		l.attempt(c, upstream.None)
	}
}

// suspend has c wait for its job.
func (l *loop) suspend(c *conn) {
	w, job := c.work, c.work.x.Job
	limit := max(job.Limit(), time.Nanosecond)
	w.wait = &wait{loop: l, client: c}
	w.wait.Until = l.now.Add(limit)
	c.phase = phaseWait
	l.wheel.set(&c.timer, l.now, limit)
	job.Start(w.wait, w.wait.wake)
}

// resume goes on with who waits for w, if somebody still does.
func (l *loop) resume(w *wait) {
	if c := w.client; c.work != nil && c.work.wait == w {
		l.endWait(c)
		l.follow(c, c.work.x.Job.Finish())
		l.drive(c)
	}
}

// overdue goes on with c, which has waited for as long as its job may take.
func (l *loop) overdue(c *conn) {
	l.endWait(c)
	l.follow(c, c.work.x.Job.Late())
	l.drive(c)
}

// abandon takes back the job of c, which waits no more, if it has one.
func (l *loop) abandon(c *conn) {
	if c.work.wait != nil {
		l.endWait(c)
		c.work.x.Job.Abandon()
	}
}

func (l *loop) endWait(c *conn) {
	c.work.wait.End()
	c.work.wait, c.timer.at = nil, 0
}
