package docker

import (
	"reflect"
	"slices"
	"time"

	"rgate/internal/discovery"
)

// publish emits the view if it has changed. It answers when to look again
// though nothing happens until then; zero for never.
func (w *watch) publish() (next time.Time) {
	now := time.Now()
	candidates, next := w.judgeAll(now)
	if !w.complete && w.stale == "" {
		return next // nothing is known yet, not even that nothing can be
	}
	if now.Before(w.hold) {
		if w.stale == "" && w.prober.pending() {
			return w.hold
		}
		w.hold = time.Time{}
	}
	view := discovery.View{Source: "docker", Candidates: candidates, Stale: w.stale}
	if w.emitted && reflect.DeepEqual(view, w.last) {
		return next
	}
	w.emitted, w.last = true, view
	view.Candidates = slices.Clone(candidates) // the receiver may keep and change it
	w.emit(view)
	return next
}

// judgeAll judges every known container for every backend that selects it.
func (w *watch) judgeAll(now time.Time) (candidates []discovery.Candidate, next time.Time) {
	wanted := map[probeKey]bool{}
	mentions := map[mention]bool{}
	for _, f := range w.facts {
		corrected, reason, gone := w.memory.correct(f, w.listed, now, w.timing.grace)
		if t := w.memory[f.id]; t != nil && reason == "stopping" {
			if until, _ := t.stopping(f, now, w.timing.grace); next.IsZero() || until.Before(next) {
				next = until
			}
		}
		for _, s := range w.selectors {
			if !selects(s, f.labels) {
				continue
			}
			v := judge(corrected, s, w.place)
			if reason != "" {
				v.Reason, v.fault = reason, false
			}
			w.prove(&v, f, gone, wanted)
			candidates = append(candidates, v.Candidate)
			w.mention(v, mentions)
		}
	}
	w.prober.retain(wanted)
	w.mentioned = mentions
	slices.SortFunc(candidates, order)
	return candidates, next
}

// prove completes a verdict by what the prober knows, and tells it what is
// wanted: of a container that is out for a while, no more than what it knows.
func (w *watch) prove(v *verdict, f facts, gone bool, wanted map[probeKey]bool) {
	if gone {
		return
	}
	only := v.Reason != ""
	look := func(addr string) (proof, string) {
		key := probeKey{id: f.id, started: f.started.UnixNano(), addr: addr}
		wanted[key] = true
		return w.prober.look(key, only)
	}
	if only {
		for _, addr := range v.tries {
			look(addr)
		}
		return
	}
	settle(v, look)
}

// mention is something the log says once of a container.
type mention struct{ backend, id, text string }

// mention logs what people should know of how a container is set up.
func (w *watch) mention(v verdict, mentions map[mention]bool) {
	log := func(text string, message string) {
		m := mention{v.Backend, v.ID, text}
		if text == "" || mentions[m] {
			return
		}
		mentions[m] = true
		if !w.mentioned[m] {
			w.log.Warn(message, "backend", v.Backend, "container", v.Name, "reason", text)
		}
	}
	log(v.Note, "a choice was made for a container")
	if v.fault {
		log(v.Reason, "a container is left out")
	}
}
