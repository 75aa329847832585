package gateway

import (
	"fmt"
	"slices"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
)

// ErrSocket is that a socket which this process was handed is not one that the
// configuration wants.
var ErrSocket = listen.ErrSocket

// openListeners takes the inherited listening sockets, and opens the others.
func (g *Gateway) openListeners() error {
	address := g.options.Listen
	if address == "" {
		address = g.options.Config.Listen
	}
	o, err := listen.Open(g.inherited, address, g.options.Config, g.supply())
	if err != nil {
		return err
	}
	g.listeners, g.surplus, g.handed = o.Set, o.Surplus, o.Passed
	g.first = g.listeners.First()
	g.warn(o.Warnings)
	g.recall(g.options.Config, o.Set.TLS())
	g.warn(listen.Uncovered(g.options.Config, g.listeners[1:].TLS(), Vouches))
	g.warn(listen.Unprovable(g.options.Config, g.first.Addr().String()))
	if o.Moved {
		g.log.Warn("an upgrade keeps the address; the new one takes effect after a restart", "address", g.first.Addr().String(), "new", address)
	}
	return nil
}

func (g *Gateway) refuse(err error) error {
	g.listeners.Close()
	g.surplus.Close()
	return err
}

// entrust gives the listeners of the moment to the engine, which has those that
// come later from the owner.
func (g *Gateway) entrust() (all listen.Set) {
	g.do(func(o *owner) { all, o.accepting = o.listeners, true })
	return all
}

// letGo closes what the engine has not got.
func (o *owner) letGo() {
	o.pending.opened().Close()
	if !o.accepting {
		o.listeners.Close()
	}
}

// open opens the listeners that next adds. Not during an upgrade: the successor
// was passed those that there are, and opens what else it wants.
func (o *owner) open(next *config.Config) (*listen.Change, error) {
	if l := o.inTheWay(next); l != nil {
		o.file.loaded = config.Sum{} // it is taken up by itself
		return nil, fmt.Errorf("the listener on %s is only just being closed: try again in a second", l.Addr())
	}
	change, err := o.listeners.Change(next, o.pending.opened(), o.supply())
	if err == nil && o.bequeathed && !change.Empty() {
		change.Undo()
		o.file.loaded = config.Sum{} // it is new again once the upgrade has failed
		return nil, errUpgrading
	}
	if err == nil {
		o.recall(next, change.TLS())
	}
	return change, err
}

// admit has the engine accept from all that are new, or from none.
func (o *owner) admit(change *listen.Change) error {
	if !o.accepting {
		return nil
	}
	for i, l := range change.Opened {
		if err := o.engine.Open(l); err != nil {
			for _, l := range change.Opened[:i] {
				o.retire(l, 0)
			}
			change.Opened[i:].Close()
			return fmt.Errorf("cannot serve the listener %s: %w", l.Config().Name, err)
		}
	}
	return nil
}

// drop gives up what waits to be put in place.
func (o *owner) drop(err error) {
	asked := o.pending.asked
	o.pending = nil
	o.sources.choose(o.cfg)
	o.probe()
	o.reject(err)
	answer(asked, outcome{err: err})
}

// shift takes the step to other listeners, which admit has begun.
func (o *owner) shift(change *listen.Change) {
	change.Commit()
	o.listeners = change.Next
	o.warn(change.Warnings)
	o.warn(listen.Uncovered(o.cfg, o.listeners[1:].TLS(), Vouches))
	o.warn(listen.Unprovable(o.cfg, o.first.Addr().String()))
	o.watchCertificates()
	for _, l := range change.Opened {
		o.mention(l)
	}
	if !o.accepting {
		change.Left.Close()
		return
	}
	for _, l := range change.Left {
		o.retire(l, o.cfg.Traffic.DrainTimeout)
	}
	o.closing = append(o.closing, change.Left...)
}

// inTheWay is a listener that went, and still listens where next wants to; nil
// where there is none.
func (o *owner) inTheWay(next *config.Config) *listen.Listener {
	o.closing = slices.DeleteFunc(o.closing, func(l *listen.Listener) bool { return isShut(l) })
	for _, l := range o.closing {
		for _, c := range next.Listeners {
			if config.Overlap(l.Addr().String(), c.Address) {
				return l
			}
		}
	}
	return nil
}

func isShut(l *listen.Listener) bool {
	select {
	case <-l.Shut():
		return true
	default:
		return false
	}
}

// answerShut answers who asked for a reload once nobody listens any more where
// it ended that.
func (o *owner) answerShut(asked []reload, out outcome) {
	closing := slices.Clone(o.closing)
	if len(closing) == 0 || len(asked) == 0 {
		answer(asked, out)
		return
	}
	o.owned.Go(func() {
		for _, l := range closing {
			select {
			case <-l.Shut():
			case <-o.life.Done():
			}
		}
		answer(asked, out)
	})
}

func (g *Gateway) mention(l *listen.Listener) {
	g.log.Info("rgate listens", "listener", l.Config().Name, "address", l.Addr().String())
}

// cutAgain is how often the connections of a listener are cut until all are:
// one may be between the engines just then.
const cutAgain = 100 * time.Millisecond

// retire accepts no more from l, and lets its exchanges end within limit.
func (g *Gateway) retire(l *listen.Listener, limit time.Duration) {
	name, address := l.Config().Name, l.Addr().String()
	g.log.Info("rgate listens no more, and drains what is in flight there", "listener", name, "address", address, "at_most", limit)
	g.engine.Drain(l, min(hearOut, limit/2))
	g.owned.Go(func() {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		for late := false; ; late = true {
			select {
			case <-l.Gone():
				return
			case <-g.life.Done():
				return // then all ends
			case <-timer.C:
			}
			if !late {
				g.log.Warn("some exchanges of a listener were cut at the end of drain_timeout", "listener", name, "address", address)
			}
			g.engine.Cut(l)
			timer.Reset(cutAgain)
		}
	})
}

// empty serves what waits at the listeners that only the process before had,
// which has stopped to accept by now, and lets them go.
func (g *Gateway) empty() {
	for _, l := range g.surplus {
		if err := g.engine.Open(l); err != nil {
			g.log.Warn("what waited at a listener that goes is lost", "listener", l.Config().Name, "error", err)
			_ = l.Close()
			continue
		}
		g.retire(l, g.gate.Table().Config.Traffic.DrainTimeout)
	}
}
