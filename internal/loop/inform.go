//go:build linux

package loop

import (
	"bytes"

	"rgate/internal/proxy"
	"rgate/internal/wire"
)

// question is a request for the statistics page. It holds what is needed to
// answer it apart from its connection, which may go meanwhile.
type question struct {
	x      proxy.Exchange
	client *conn
	serial int
}

// inform has c wait for the statistics page. It takes its time, so it is made
// beside the loop, one at a time.
func (l *loop) inform(c *conn) {
	w := c.work
	if l.engine.inform == nil {
		w.x.Answer = wire.AnswerUnable
		l.answer(c)
		return
	}
	c.phase, c.timer.at = phaseInform, 0
	l.asked = append(l.asked, question{
		x: proxy.Exchange{
			Method: bytes.Clone(w.x.Method), Path: bytes.Clone(w.x.Path), Query: bytes.Clone(w.x.Query),
			Peer: w.x.Peer, Client: w.x.Client, Start: w.x.Start,
		},
		client: c, serial: w.serial,
	})
	if len(l.asked) == 1 {
		l.makePage()
	}
}

// makePage answers the first of those who asked, and then goes on with the next.
func (l *loop) makePage() {
	q := &l.asked[0]
	if c := q.client; c.work == nil || c.work.serial != q.serial {
		l.nextPage() // it went away meanwhile
		return
	}
	x := q.x
	l.engine.beside.Go(func() {
		a := l.engine.inform(&x)
		l.post(func() {
			q := l.asked[0]
			l.nextPage()
			if c := q.client; c.work != nil && c.work.serial == q.serial && c.phase == phaseInform {
				c.work.x.Answer = a
				l.answer(c)
				l.drive(c)
			}
		})
	})
}

func (l *loop) nextPage() {
	l.asked[0] = question{}
	if l.asked = l.asked[1:]; len(l.asked) > 0 {
		l.makePage()
	} else {
		l.asked = nil
	}
}
