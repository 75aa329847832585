package gateway

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"rgate/internal/route"
	"rgate/internal/upstream"
)

const (
	// tellEvery is how often a successor is told, at most, what this process has
	// in flight.
	tellEvery = 100 * time.Millisecond
	// tellPatience is how long it may take to hear it.
	tellPatience = time.Second
)

// elsewhere is how many exchanges other processes have in flight, by backend:
// max_in_flight holds for all of them together. Each process tells its
// neighbours, and each of them only what it has not from that one. The older
// one tells of those that wait, too, so that they come first.
type elsewhere map[string]int64

// heard is what a neighbour told; nil where it made no sense.
func heard(text []byte) (e elsewhere) {
	if json.Unmarshal(text, &e) != nil {
		return nil
	}
	return e
}

// share has the backends of t leave free what is in flight elsewhere.
func (o *owner) share(t *route.Table) {
	if !o.shares && len(o.before)+len(o.after) == 0 {
		return
	}
	o.shares = true
	for _, b := range t.Backends {
		b.Gate.SetElsewhere(o.before[b.Name] + o.after[b.Name])
	}
}

// forSuccessor is what the process after this one has to leave free.
func (o *owner) forSuccessor() elsewhere {
	return o.sum(o.before, (*upstream.Admission).Wanted)
}

// forPredecessor is what the process before this one has to leave free: of
// backends with a bound, as this may go on for as long as a WebSocket lives.
func (o *owner) forPredecessor() elsewhere {
	all := o.sum(o.after, (*upstream.Admission).InFlight)
	for _, b := range o.gate.Table().Backends {
		if b.MaxFlight == 0 {
			delete(all, b.Name)
		}
	}
	return all
}

func (o *owner) sum(others elsewhere, own func(*upstream.Admission) int64) elsewhere {
	all := elsewhere{}
	for _, b := range o.gate.Table().Backends {
		if n := own(&b.Gate) + others[b.Name]; n > 0 {
			all[b.Name] = n
		}
	}
	return all
}

// speak tells the successor on line what is in flight, as it changes, for as
// long as this process lives.
func (g *Gateway) speak(line *os.File) {
	g.owned.Go(func() {
		defer line.Close()
		if line.SetWriteDeadline(time.Now().Add(tellPatience)) != nil {
			return
		}
		if _, err := line.Write(g.ticketsLine()); err != nil {
			return // it has ended
		}
		g.tell(context.Background(), line, (*owner).forSuccessor)
	})
}

// heed takes in what the successor tells.
func (g *Gateway) heed(text []byte) {
	e := heard(text)
	g.do(func(o *owner) { o.after = e; o.share(o.gate.Table()) })
}

// tell says on line what there is to say, as it changes, until ctx ends, this
// process does, or nobody hears.
func (g *Gateway) tell(ctx context.Context, line *os.File, what func(*owner) elsewhere) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for last := ""; ; {
		var now []byte
		if !g.do(func(o *owner) { now, _ = json.Marshal(what(o)) }) {
			return
		}
		if line.SetWriteDeadline(time.Now().Add(tellPatience)) != nil {
			return // it was closed: the successor did not come to serve
		}
		if text := string(now); text != last {
			if _, err := line.Write(append(now, '\n')); err != nil {
				return // it has ended, or does not want to know
			}
			last = text
		}
		select {
		case <-ctx.Done():
			return
		case <-g.ended:
			return
		case <-tick.C:
		}
	}
}

// hear takes in what the predecessor tells, and tells it as much once this
// process serves. It returns once that has told a first time, or does not tell
// at all.
func (g *Gateway) hear(ctx context.Context) {
	first := make(chan struct{})
	line, listen := g.inherited.Line(), g.inherited.Listen()
	ctx, stop := context.WithCancel(ctx)
	g.owned.Go(func() {
		defer stop()
		told := false
		take := func(e elsewhere) {
			g.do(func(o *owner) { o.before = e; o.share(o.gate.Table()) })
			if !told {
				told = true
				close(first)
			}
		}
		listen(ctx, func(text []byte) {
			if g.inheritTickets(text) {
				return
			}
			if e := heard(text); e != nil {
				take(e)
			}
		})
		take(nil)
	})
	g.owned.Go(func() {
		select {
		case <-g.serves:
			g.tell(ctx, line, (*owner).forPredecessor)
		case <-ctx.Done():
		}
	})
	timer := time.NewTimer(tellPatience)
	defer timer.Stop()
	select {
	case <-first:
	case <-timer.C:
	}
}

// passOn waits until the processes before this one have nothing in flight that
// the successor has to know of, since only this one can tell.
func (g *Gateway) passOn(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		wait := false
		g.do(func(o *owner) {
			for _, b := range o.gate.Table().Backends {
				wait = wait || b.MaxFlight > 0 && o.before[b.Name] > 0
			}
		})
		if !wait {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
