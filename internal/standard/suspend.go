package standard

import (
	"errors"
	"io"
	"sync"
	"time"

	"rgate/internal/config"
	"rgate/internal/h1"
	"rgate/internal/proxy"
	"rgate/internal/upstream"
)

// wait is one job's time, and its context. Who serves the client waits in a read,
// which tells at once where that leaves, and which wake ends: no further goroutine
// is needed. It is made anew for each job, so that one that is woken late disturbs
// nothing that follows.
type wait struct {
	proxy.Term
	x *exchange

	mu    sync.Mutex
	state waiting
	bell  chan struct{} // closed by wake, for who does not wait in a read; nil until then
}

// waiting is how far a wait has come.
type waiting uint8

const (
	pending waiting = iota
	woken           // the job is done
	overdue         // its time is up
	left            // the client went away, or the engine ends
)

// suspend waits for x's job, and then does what that says. ok is false where
// nobody is there any more.
func (x *exchange) suspend() (v proxy.Verdict, ok bool) {
	w, job := &wait{x: x}, x.Job
	w.Until = time.Now().Add(max(job.Limit(), time.Nanosecond))
	expires := !x.Deadline.IsZero() && x.Deadline.Before(w.Until)
	if expires {
		w.Until = x.Deadline
	}
	job.Start(w, w.wake)
	end := w.await()
	w.End()
	switch end {
	case woken:
		return job.Finish(), true
	case overdue:
		if expires {
			job.Abandon()
			return x.Expire(), true
		}
		return job.Late(), true
	}
	job.Abandon()
	x.record(upstream.Canceled)
	return v, false
}

// wake ends the wait. Any goroutine may call it.
func (w *wait) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != pending {
		return
	}
	w.state = woken
	_ = w.x.client.SetReadDeadline(past) // fails on a closed connection: so does the read
	if w.bell != nil {
		close(w.bell)
	}
}

// end ends the wait so, where it was not woken before.
func (w *wait) end(how waiting) waiting {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == pending {
		w.state = how
	}
	return w.state
}

// await returns once the wait has ended. What it reads meanwhile is of the body,
// or the next request's.
func (w *wait) await() waiting {
	x, c := w.x, w.x.client
	for space := x.space(); len(space) > 0 && w.arm(); space = x.space() {
		n, err := c.Read(space)
		x.in.Fill(n)
		switch {
		case err == nil:
			continue
		case isTimeout(err):
			return w.end(overdue)
		case errors.Is(err, io.EOF) && x.waits():
			c.ended = true
			return w.sit()
		}
		c.ended = true
		w.end(left)
		return left
	}
	return w.sit()
}

// arm has the next read end in time; false where the wait has ended.
func (w *wait) arm() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == pending {
		_ = w.x.client.SetReadDeadline(w.Until) // as in wake
	}
	return w.state == pending
}

// waits tells whether a client that has finished sending is taken to wait for its
// answer, and has sent all of its request.
func (x *exchange) waits() bool {
	if x.Owed() {
		return true
	}
	whole := x.reqBody.Kind != h1.BodyLength || int64(len(x.in.Pending())) >= x.reqBody.Left()
	return whole && x.client.config().HalfClose == config.HalfCloseAnswer
}

// sit waits where a read tells nothing: there is no room for what comes, or the
// client has finished sending. That it has gone altogether is looked for now and
// then.
func (w *wait) sit() waiting {
	w.mu.Lock()
	w.bell = make(chan struct{})
	if w.state == woken {
		close(w.bell)
	}
	w.mu.Unlock()
	c := w.x.client
	patience, every := time.NewTimer(time.Until(w.Until)), time.NewTicker(brokenEvery)
	defer patience.Stop()
	defer every.Stop()
	for {
		select {
		case <-w.bell:
			return woken
		case <-patience.C:
			return w.end(overdue)
		case <-c.engine.ctx.Done():
			w.end(left)
			return left
		case <-every.C:
			if c.sight.broken() {
				w.end(left)
				return left
			}
		}
	}
}
