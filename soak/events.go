//go:build linux

package main

import (
	"context"
	"sync"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"rgate/internal/enginetest"
	"rgate/soak/internal/verdict"
)

// fleetLabel is on all containers of one play, with a value of that play's.
const fleetLabel = "rgate.soak"

// endings collects the engine's word on containers that end.
type endings struct {
	mu     sync.Mutex
	by     map[string][]verdict.Ending
	heeded func(events.Message) // nil, or told of each event: a gateway's supervisor
}

// watchEndings follows the engine's events on the containers of a play until
// the stage is struck. An engine that restarts is asked again.
func watchEndings(s *stage, engine *enginetest.Engine, label string) *endings {
	e := &endings{by: map[string][]verdict.Ending{}}
	var done sync.WaitGroup
	s.Cleanup(done.Wait) // the stage's context has ended by then
	filters := client.Filters{}.Add("type", "container").Add("label", fleetLabel+"="+label)
	options := client.EventsListOptions{Filters: filters, Since: time.Now().Format(time.RFC3339Nano)}
	first := engine.Client.Events(s.ctx, options)
	done.Go(func() {
		for stream := first; ; stream = engine.Client.Events(s.ctx, options) {
			e.follow(s.ctx, stream)
			select {
			case <-s.ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	return e
}

func (e *endings) follow(ctx context.Context, stream client.EventsResult) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-stream.Err:
			return
		case m := <-stream.Messages:
			e.hear(m)
		}
	}
}

// heed tells f of each event from now on.
func (e *endings) heed(f func(events.Message)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heeded = f
}

func (e *endings) hear(m events.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.heeded != nil {
		e.heeded(m)
	}
	kind := ""
	switch m.Action {
	case events.ActionKill: // by any signal: those of these plays are all to end it
		kind = verdict.Stopping
		if signal := m.Actor.Attributes["signal"]; signal == "9" || signal == "KILL" || signal == "SIGKILL" {
			kind = verdict.Killed
		}
	case events.ActionDie:
		kind = verdict.Killed
	default:
		return
	}
	e.add(m.Actor.Attributes["name"], verdict.Ending{At: time.Unix(0, m.TimeNano), Kind: kind})
}

// cutOff notes that a container has just lost its network, of which only its
// network's events tell.
func (e *endings) cutOff(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.add(name, verdict.Ending{At: time.Now(), Kind: verdict.CutOff})
}

func (e *endings) add(name string, one verdict.Ending) { e.by[name] = append(e.by[name], one) }

func (e *endings) all() map[string][]verdict.Ending {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.by
}
