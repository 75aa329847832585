//go:build linux

package rig

import (
	"time"

	"rgate/internal/route"
	"rgate/internal/upstream"
)

// Swap puts t in place of the table of the moment, and has the endpoints that
// are not in it drain, as the gateway's owner does.
func (r *Rig) Swap(t *route.Table) {
	old := r.Gate.Table()
	r.Gate.Swap(t)
	stays := map[*upstream.Endpoint]bool{}
	for _, e := range t.Endpoints() {
		stays[e] = true
	}
	for _, e := range old.Endpoints() {
		if !stays[e] {
			r.drains.Go(func() { r.drain(e) })
		}
	}
}

// drain waits no longer than the test lasts.
func (r *Rig) drain(e *upstream.Endpoint) {
	select {
	case <-e.Drain():
	case <-time.After(time.Minute):
	case <-r.ended:
	}
	for _, engine := range r.engines {
		engine.Forget(e)
	}
}
