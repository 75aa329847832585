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
	candidates, untried, next := w.judgeAll(now)
	if !w.complete && w.stale == "" {
		return next // nothing is known yet, not even that nothing can be
	}
	if now.Before(w.hold) {
		if w.stale == "" && untried {
			return w.hold
		}
		w.hold = time.Time{}
	}
	view := discovery.View{Source: "docker", Selectors: w.answered(), Candidates: candidates, Stale: w.stale}
	if w.emitted && reflect.DeepEqual(view, w.last) {
		return next
	}
	w.emitted, w.last = true, view
	view.Candidates = slices.Clone(candidates) // the receiver may keep and change it
	w.emit(view)
	return next
}

// answered are the selectors that the view answers: before a first list none.
func (w *watch) answered() []discovery.Selector {
	if !w.complete {
		return []discovery.Selector{}
	}
	return w.selectors
}

// judgeAll judges every known container for every backend that selects it.
// Where the view is to answer other selectors, what these select is probed
// first, so that no endpoint is missing when they take over. It tells whether it
// saw an address that has not been tried once: to ask for that later would miss
// one that has been tried since.
func (w *watch) judgeAll(now time.Time) (candidates []discovery.Candidate, untried bool, next time.Time) {
	j := judging{watch: w, now: now, wanted: map[probeKey]bool{}, mentions: map[mention]bool{}}
	candidates = j.judge(w.selectors)
	if !w.proving.IsZero() {
		coming := j.judge(w.wanted.selectors)
		if j.untried && now.Before(w.proving) {
			j.lookAgain(w.proving)
		} else {
			candidates = coming
			w.settle()
		}
	}
	w.prober.retain(j.wanted)
	w.mentioned = j.mentions
	return candidates, j.untried, j.next
}

// judging is one look at all known containers.
type judging struct {
	*watch
	now      time.Time
	next     time.Time // when to look again
	wanted   map[probeKey]bool
	untried  bool // an address that is to be proven
	mentions map[mention]bool
}

func (j *judging) lookAgain(at time.Time) {
	if j.next.IsZero() || at.Before(j.next) {
		j.next = at
	}
}

func (j *judging) judge(sel selectors) (candidates []discovery.Candidate) {
	for _, f := range j.facts {
		corrected, reason, gone := j.memory.correct(f, j.listed, j.now, j.timing.grace)
		if t := j.memory[f.id]; t != nil && reason == "stopping" {
			until, _ := t.stopping(f, j.now, j.timing.grace)
			j.lookAgain(until)
		}
		for _, s := range sel {
			if !selects(s, f.labels) {
				continue
			}
			v := judge(corrected, s, j.place)
			if reason != "" {
				v.Reason, v.fault = reason, false
			}
			j.prove(&v, f, gone)
			candidates = append(candidates, v.Candidate)
			j.mention(v, j.mentions)
		}
	}
	slices.SortFunc(candidates, order)
	return candidates
}

// prove completes a verdict by what the prober knows, and tells it what is
// wanted: of a container that is out for a while, no more than what it knows.
func (j *judging) prove(v *verdict, f facts, gone bool) {
	if gone {
		return
	}
	only := v.Reason != ""
	look := func(addr string) (proof, string) {
		key := probeKey{id: f.id, started: f.started.UnixNano(), addr: addr}
		j.wanted[key] = true
		known, detail := j.prober.look(key, only)
		j.untried = j.untried || known == untried && !only
		return known, detail
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
