package docker

import (
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"
)

// memory is what events told of containers, by id. Events are sooner than
// lists, and on engine 20.10 truer: for a third of a second after a die event
// its list can still say "running".
//
// Events are counted, and a list knows the count at which it was asked for, so
// that it is clear which of the two knows more.
type memory map[string]*told

// told is what events told of one container.
type told struct {
	last         int               // count of the last event
	died         int               // count of the die event; 0 when it started since
	started      int               // count of the start event
	paused       bool              // by the last pause or unpause event, …
	pausedAt     int               // … which had this count; 0 for none
	kills        map[int]time.Time // signals sent since the start, and when (rgate's time)
	disconnected map[string]int    // ids of networks left, and the count of that event
}

// hear takes in an event about a container.
func (m memory) hear(id string, e events.Message, count int, now time.Time) {
	t := m[id]
	if t == nil {
		t = &told{kills: map[int]time.Time{}, disconnected: map[string]int{}}
		m[id] = t
	}
	t.last = count
	switch e.Action {
	case events.ActionStart:
		*t = told{last: count, started: count, kills: map[int]time.Time{}, disconnected: t.disconnected}
	case events.ActionDie, events.ActionDestroy:
		t.died = count
	case events.ActionKill:
		t.kills[signalNumber(e.Actor.Attributes["signal"])] = now
	case events.ActionPause, events.ActionUnPause:
		t.paused, t.pausedAt = e.Action == events.ActionPause, count
	case events.ActionDisconnect:
		t.disconnected[e.Actor.ID] = count
	case events.ActionConnect:
		delete(t.disconnected, e.Actor.ID)
	}
}

// correct brings facts from a list asked for at count up to what events told.
// A reason says why the container is out for now; gone says that it must prove
// anew that it listens when it comes back.
func (m memory) correct(f facts, listed int, now time.Time, grace time.Duration) (_ facts, reason string, gone bool) {
	t := m[f.id]
	if t == nil {
		return f, "", false
	}
	for id, count := range t.disconnected {
		if count > listed {
			f.attachments = slices.DeleteFunc(slices.Clone(f.attachments), func(a attachment) bool { return a.id == id })
		}
	}
	unseen := false // how well it is
	if t.pausedAt > listed {
		unseen = f.checked && f.state == "paused" // of these no list tells it in words
		f.state = "running"
		if t.paused {
			f.state = "paused"
		}
	}
	_, stopping := t.stopping(f, now, grace)
	switch {
	case t.died != 0:
		return f, "stopped", true
	case stopping:
		return f, "stopping", true
	case t.started > listed:
		return f, "starting", true
	case unseen && !t.paused:
		return f, "health: not known yet", false
	}
	return f, "", false
}

// stopping tells whether a stop signal is at work, and until when that is to
// be believed. A container that ignores it is back after the grace, which is
// never shorter than the time after which docker stop would kill it.
func (t *told) stopping(f facts, now time.Time, grace time.Duration) (until time.Time, yes bool) {
	grace = max(grace, f.stopTimeout+5*time.Second)
	for _, signal := range []int{sigKILL, f.stopSignal} {
		if at, sent := t.kills[signal]; sent && at.Add(grace).After(until) {
			until = at.Add(grace)
		}
	}
	return until, now.Before(until)
}

// died tells whether the last that events told of a container's runs is that
// one ended.
func (m memory) died(id string) bool { t := m[id]; return t != nil && t.died != 0 }

// doubted are the containers that died, as far as is known. A list that says
// otherwise is checked, since the start event may have been missed.
func (m memory) doubted() map[string]bool {
	ids := map[string]bool{}
	for id := range m {
		if m.died(id) {
			ids[id] = true
		}
	}
	return ids
}

// settle forgets what a list asked for at count has made moot; before is what
// the list before it found. Whether a start was missed is told by what the
// engine says of a container's runs, never by which of two times is later: its
// clock may be set back between a death and the next start.
//
// Each list has the doubted inspected, and an engine that told of a death does
// not call the container running when it is inspected, as its list may.
func (m memory) settle(found, before map[string]facts, listed int) {
	for id, t := range m {
		f, ok := found[id]
		if !ok {
			if t.last <= listed {
				delete(m, id)
			}
			continue
		}
		if t.died != 0 && t.died <= listed && f.runs {
			t.died = 0
			clear(t.kills)
		}
		if was := before[id].started; t.last <= listed && !was.IsZero() && !f.started.IsZero() && !was.Equal(f.started) {
			clear(t.kills) // they were for the run before
		}
	}
}

// behind tells whether a list asked for at count, and settled, has containers
// running that died.
func (m memory) behind(found map[string]facts, listed int) bool {
	for id, t := range m {
		if t.died != 0 && t.died <= listed && found[id].state == "running" {
			return true
		}
	}
	return false
}

// network events and events of health checks carry their subject in their own
// ways.
func subject(e events.Message) string {
	if e.Type == events.NetworkEventType {
		return e.Actor.Attributes["container"]
	}
	return e.Actor.ID
}

// urgent tells whether an event says by itself what is to change.
func urgent(e events.Message) bool {
	switch e.Action {
	case events.ActionKill, events.ActionDie, events.ActionDestroy, events.ActionPause, events.ActionUnPause, events.ActionDisconnect:
		return true
	}
	return false
}

// watched are the actions that can change a view.
func watched() []string {
	return []string{"start", "die", "stop", "kill", "pause", "unpause", "health_status", "destroy", "rename", "connect", "disconnect"}
}

// concerns tells whether a container event can be about a container that the
// selectors select. Attributes are its labels, save that the engine writes its
// own over those of some names.
func concerns(sel selectors, e events.Message) bool {
	overwritten := []string{"name", "image", "signal", "exitCode", "oldName", "execDuration"}
	for _, s := range sel {
		matches := true
		for _, l := range s.Labels {
			matches = matches && (slices.Contains(overwritten, l.Key) || l.Matches(e.Actor.Attributes))
		}
		if matches {
			return true
		}
	}
	return false
}

// isHealth tells whether the event is of a HEALTHCHECK.
func isHealth(e events.Message) bool {
	return strings.HasPrefix(string(e.Action), string(events.ActionHealthStatus))
}
