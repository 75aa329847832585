//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"rgate/internal/trial"
)

// follower does for a gateway that knows nothing of containers what nginx-proxy
// and caddy-docker-proxy do: on each event it lists the containers that run and
// tells the gateway.
type follower struct {
	p     *play
	dirty chan struct{}
	tell  func(upstreams []string) error
}

// follow tells the gateway of the containers there are, and then of each change
// until the stage is struck.
func (p *play) follow(tell func(upstreams []string) error) {
	f := &follower{p: p, dirty: make(chan struct{}, 1), tell: tell}
	if err := f.update(); err != nil {
		p.Fatal(err)
	}
	var done sync.WaitGroup
	p.Cleanup(done.Wait)
	p.heed(func(m events.Message) {
		switch m.Action {
		case events.ActionStart, events.ActionStop, events.ActionDie, events.ActionHealthStatusHealthy, events.ActionHealthStatusUnhealthy:
			select {
			case f.dirty <- struct{}{}:
			default: // it will list anyway
			}
		}
	})
	done.Go(func() {
		for {
			select {
			case <-p.ctx.Done():
				return
			case <-f.dirty:
				if err := f.update(); err != nil && p.ctx.Err() == nil {
					p.Logf("cannot tell %s: %v", p.front.name, err)
				}
			}
		}
	})
}

func (f *follower) update() error {
	found, err := f.p.engine.Client.ContainerList(f.p.ctx, client.ContainerListOptions{
		Filters: client.Filters{}.Add("label", fleetLabel+"="+f.p.label).Add("status", "running"),
	})
	if err != nil {
		return err
	}
	var upstreams []string
	for _, c := range found.Items {
		if n := c.NetworkSettings.Networks["bridge"]; n != nil && n.IPAddress.IsValid() {
			upstreams = append(upstreams, netip.AddrPortFrom(n.IPAddress, 8080).String())
		}
	}
	return f.tell(upstreams)
}

// freeAddress is one on which nothing listens.
func freeAddress(s *stage) string { return fmt.Sprint("127.0.0.1:", trial.Port(s)) }

// awaitListening waits until a gateway takes connections.
func awaitListening(s *stage, program *process, address string, said func() string) {
	s.until(fmt.Sprintf("something listens on %s", address), func() bool {
		select {
		case <-program.ended:
			s.Fatalf("it ended at its start:\n%s", said())
		default:
		}
		var d net.Dialer
		conn, err := d.DialContext(context.Background(), "tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}
