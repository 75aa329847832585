//go:build linux

package loop

import (
	"cmp"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/buffer"
	"rgate/internal/upstream"
	"rgate/internal/wire"
)

// What an exchange waits for, and how long:
//
//	a connection to the endpoint        timeouts.connect
//	the endpoint to take more           timeouts.response_header without a byte
//	the head of its answer              timeouts.response_header, over all attempts
//	the client to send more of a body   limits.body_progress
//	the client to take more             timeouts.idle without a byte
//
// For the body of an answer an endpoint may take its time: nobody can tell a
// stream that has nothing to say from one that will never go on.

// await says that the exchange waits for something else than before.
func (l *loop) await(c *conn) {
	w := c.work
	w.since, w.moved = l.wheel.now, w.x.BytesIn
	l.look(c)
}

// look has late called when the first of these waits may be over.
func (l *loop) look(c *conn) {
	w, t := c.work, &l.cfg.Timeouts
	next := cmp.Or(w.told, l.wheel.now) + ticks(t.Idle)
	if w.sent != whole && w.taking == takes {
		next = min(next, cmp.Or(w.fed, l.wheel.now)+ticks(l.headWait(w)))
	}
	switch {
	case w.asks():
		next = min(next, w.since+ticks(l.headWait(w)))
	case w.uploads():
		next = min(next, w.since+ticks(l.cfg.Limits.BodyProgress.Within))
	}
	l.wheel.set(&c.timer, l.now, time.Duration(next-l.wheel.now)*tick)
}

// headWait is how long the endpoint may keep the exchange waiting.
func (l *loop) headWait(w *work) time.Duration {
	if w.headed() {
		return l.cfg.Timeouts.ResponseHeader
	}
	return w.x.HeadWait()
}

// asks tells whether it is the endpoint's turn to answer.
func (w *work) asks() bool { return !w.headed() && (w.sent == whole || w.holdsBack()) }

// uploads tells whether it is the client's turn to send of its body.
func (w *work) uploads() bool { return !w.reqDone && w.taking == takes && !w.holdsBack() }

// holdsBack tells whether the client waits to be told to send its body.
func (w *work) holdsBack() bool {
	return w.req.Expect100 && !w.reqDone && !w.continued && !w.headed() && w.x.BytesIn == 0
}

// waiting is since when b waits to be written: was, or now where it began to
// wait or got on; 0 while there is nothing to write.
func (l *loop) waiting(b *buffer.Buffer, was int64, progress bool) int64 {
	switch {
	case b.Empty():
		return 0
	case progress || was == 0:
		return l.wheel.now
	}
	return was
}

func (l *loop) over(since int64, d time.Duration) bool {
	return since != 0 && l.wheel.now >= since+ticks(d)
}

// late ends the wait that took too long.
func (l *loop) late(c *conn) {
	w, t, least := c.work, &l.cfg.Timeouts, &l.cfg.Limits.BodyProgress
	switch {
	case w.origin != nil && w.origin.connecting:
		l.attempt(c, upstream.ConnectTimedOut)
	case l.over(w.told, t.Idle):
		l.reset(c)
	case !w.headed() && l.over(w.fed, l.headWait(w)):
		l.fail(c, upstream.TimedOut)
	case l.over(w.fed, t.ResponseHeader):
		w.taking, w.fed = max(w.taking, deaf), 0 // it answers already, and wants no more
		l.await(c)
	case w.asks() && l.over(w.since, l.headWait(w)):
		l.fail(c, upstream.TimedOut)
	case w.uploads() && l.over(w.since, least.Within):
		l.judgeUpload(c)
	default:
		l.look(c)
	}
}

// judgeUpload ends an exchange whose client sent too little of its body. That
// the endpoint takes it slowly is not held against the client.
func (l *loop) judgeUpload(c *conn) {
	w := c.work
	switch {
	case !w.up.Empty() || w.x.BytesIn-w.moved >= int64(l.cfg.Limits.BodyProgress.Bytes):
		l.await(c)
	case w.headed():
		l.reset(c)
	default:
		l.refuse(c, wire.AnswerSlow)
	}
}

// reset closes c with all that it has not taken yet.
func (l *loop) reset(c *conn) {
	_ = unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	l.close(c)
}
