package gateway

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"rgate/internal/route"
)

const (
	// tellEvery is how often a successor is told, at most, what this process has
	// in flight.
	tellEvery = 100 * time.Millisecond
	// tellPatience is how long it may take to hear it.
	tellPatience = time.Second
)

// elsewhere is how many exchanges the processes before this one have in flight,
// by backend: max_in_flight holds for all of them together.
type elsewhere map[string]int64

// apply has the backends of t leave that many places free.
func (e elsewhere) apply(t *route.Table) {
	for _, b := range t.Backends {
		b.Gate.SetElsewhere(e[b.Name])
	}
}

// inFlight is what the successor has to leave free: what this process has in
// flight and those before it.
func (o *owner) inFlight() elsewhere {
	all := elsewhere{}
	for _, b := range o.gate.Table().Backends {
		if n := b.Gate.InFlight() + o.elsewhere[b.Name]; n > 0 {
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
		tick := time.NewTicker(tellEvery)
		defer tick.Stop()
		for last := ""; ; {
			var now []byte
			if !g.do(func(o *owner) { now, _ = json.Marshal(o.inFlight()) }) {
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
			case <-g.ended:
				return
			case <-tick.C:
			}
		}
	})
}

// hear takes in what the predecessor tells. It returns once that has told a
// first time, or does not tell at all.
func (g *Gateway) hear(ctx context.Context) {
	first := make(chan struct{})
	listen := g.inherited.Listen()
	g.owned.Go(func() {
		told := false
		take := func(e elsewhere) {
			g.do(func(o *owner) { o.elsewhere = e; e.apply(o.gate.Table()) })
			if !told {
				told = true
				close(first)
			}
		}
		listen(ctx, func(text []byte) {
			var e elsewhere
			if json.Unmarshal(text, &e) == nil {
				take(e)
			}
		})
		take(nil)
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
				wait = wait || b.MaxFlight > 0 && o.elsewhere[b.Name] > 0
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
