package gateway

import (
	"fmt"
	"strings"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/route"
	"rgate/internal/upstream"
)

// placeLimit is how long a new configuration waits until it is known where its
// endpoints are and that some are well. Until then the one before serves, with
// its endpoints.
const placeLimit = 10 * time.Second

// pending is a configuration that waits to be put in place.
type pending struct {
	cfg    *config.Config
	change *listen.Change       // what becomes of the listeners
	asked  []reload             // who wait for that
	coming []*upstream.Endpoint // that it will have, as far as is known; those that are new are being probed
	limit  *time.Timer
}

// lent are the endpoints that were made, and probed, for cfg already.
func (p *pending) lent(cfg *config.Config) []*upstream.Endpoint {
	if p == nil || p.cfg != cfg {
		return nil
	}
	return p.coming
}

// opened are the listeners that wait with it.
func (p *pending) opened() listen.Set {
	if p == nil || p.change == nil {
		return nil
	}
	return p.change.Opened
}

// bound tells when a configuration has waited for long enough.
func (p *pending) bound() <-chan time.Time {
	if p == nil {
		return nil
	}
	return p.limit.C
}

// prepare begins to put next in place, instead of what waits for that already.
// The wait is no longer for it: else a reload every few seconds could put off
// all for ever.
func (o *owner) prepare(next *config.Config, change *listen.Change, asked []reload) {
	change.Unused(o.pending.opened()).Close()
	if o.pending == nil {
		o.pending = &pending{limit: time.NewTimer(o.placeLimit)}
	}
	p := o.pending
	p.cfg, p.change, p.asked = next, change, append(p.asked, asked...)
	o.sources.choose(next)
	o.watchAll(o.ctx, next)
	o.advance()
}

// advance puts the configuration that waits in place once it lacks nothing.
func (o *owner) advance() {
	if o.pending != nil && o.lacks() == nil {
		o.place(nil)
	}
}

// lacks is what the configuration that waits has to wait for.
func (o *owner) lacks() error {
	p := o.pending
	views := o.sources.views(p.cfg)
	p.coming = route.Endpoints(p.cfg, views, o.gate.Table(), p.coming...)
	o.probe()
	if name := o.sources.unanswered(p.cfg); name != "" {
		return fmt.Errorf("%s has not told yet what there is of it", name)
	}
	well, unknown := map[string]bool{}, map[string]bool{}
	for _, e := range p.coming {
		well[e.Backend] = well[e.Backend] || e.Well()
		unknown[e.Backend] = unknown[e.Backend] || !e.Judged()
	}
	for name := range unknown {
		if unknown[name] && !well[name] {
			return fmt.Errorf("no endpoint of backend %s has passed its probes yet", name)
		}
	}
	return nil
}

// place puts the configuration that waits in place. What it lacked is said.
func (o *owner) place(lacked error) {
	p := o.pending
	p.limit.Stop()
	if err := o.admit(p.change); err != nil {
		o.drop(err)
		return
	}
	o.cfg = p.cfg
	o.refresh()
	o.pending = nil
	o.shift(p.change)
	o.log.Info("configuration reloaded", "file", o.file.path, "routes", len(o.cfg.Routes), "backends", len(o.cfg.Backends))
	var notes []string
	if lacked != nil {
		o.log.Warn("the new configuration takes effect before all of it is known", "waited", o.placeLimit, "reason", lacked)
		notes = append(notes, fmt.Sprintf("after %v %v", o.placeLimit, lacked))
	}
	// Compared with what this process began with: what has not taken effect since
	// is still to come, and what was taken back is not.
	if keys := config.RestartNeeded(o.options.Config, o.cfg); len(keys) > 0 {
		o.log.Warn("some changes take effect only after a restart", "keys", keys)
		notes = append(notes, "only a restart puts these keys in effect: "+strings.Join(keys, ", "))
	}
	o.answerShut(p.asked, outcome{note: strings.Join(notes, "; ")})
}
