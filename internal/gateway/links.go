package gateway

import (
	"context"

	"rgate/internal/cert"
	"rgate/internal/config"
	"rgate/internal/link"
)

// watchLinks has the files of backends read again that change, where there are
// endpoints to speak to.
func (o *owner) watchLinks() {
	used := map[*link.Link]bool{}
	for _, e := range o.gate.Table().Endpoints() {
		if e.Link == nil || used[e.Link] {
			continue
		}
		used[e.Link] = true
		if o.links[e.Link] != nil {
			continue
		}
		ctx, stop := context.WithCancel(o.life)
		if o.links == nil {
			o.links = map[*link.Link]context.CancelFunc{}
		}
		o.links[e.Link] = stop
		o.owned.Go(func() { e.Link.Watch(ctx, o.options.Poll, o.tellLink) })
	}
	for l, stop := range o.links {
		if !used[l] {
			stop()
			delete(o.links, l)
		}
	}
}

// tellLink logs what became of a backend's files that have changed.
func (g *Gateway) tellLink(backend string, used bool, problems []*cert.Problem) {
	for _, problem := range problems {
		g.log.Warn("a file of a backend's tls is not as it should be", "backend", backend, "file", problem.File, "reason", problem.Error())
	}
	if used {
		g.log.Info("the files of a backend's tls were read again", "backend", backend)
	} else {
		g.log.Error("the files of a backend's tls cannot be read again; what they held before is still used", "backend", backend)
	}
}

// warnOfLinks logs what is wrong with how endpoints are spoken to.
func (g *Gateway) warnOfLinks(problems []config.Problem) {
	for _, p := range problems {
		g.log.Warn("a backend is not as it should be", "place", p.Place(), "reason", p.Text())
	}
}
