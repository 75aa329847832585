package docker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/events"

	"rgate/internal/discovery"
)

func event(action, detail string) events.Message {
	e := events.Message{Type: events.ContainerEventType, Action: events.Action(action), TimeNano: 1000}
	e.Actor.ID, e.Actor.Attributes = "c", map[string]string{"signal": detail}
	if action == "connect" || action == "disconnect" {
		e.Type = events.NetworkEventType
		e.Actor.ID, e.Actor.Attributes = detail, map[string]string{"container": "c"}
	}
	return e
}

// Events of a running container, then "list" where one is asked for; what is
// said of it afterwards.
func TestMemoryCorrectsLists(t *testing.T) {
	for script, want := range map[string]string{
		"":                          "running",
		"die 0":                     "stopped",
		"die 0, list":               "stopped",
		"destroy 0":                 "stopped",
		"die 0, list, start 0":      "starting",
		"die 0, start 0, list":      "running",
		"kill 3":                    "stopping",
		"kill 3, list":              "stopping",
		"kill 9":                    "stopping",
		"kill 15":                   "running", // its stop signal is another
		"kill 1":                    "running",
		"kill 3, kill 1":            "stopping",
		"kill 3, die 0, start 0":    "starting",
		"kill 3, start 0, list":     "running",
		"pause 0":                   "paused",
		"pause 0, list":             "running", // the list is the newer
		"pause 0, unpause 0":        "running",
		"stop 0":                    "running",
		"disconnect n":              "running on nothing",
		"disconnect n, connect n":   "running",
		"disconnect n, list":        "running",
		"disconnect other":          "running",
		"rename 0, health_status 0": "running",
	} {
		t.Run(script, func(t *testing.T) {
			m, count, listed := memory{}, 0, 0
			now := time.Unix(5000, 0)
			for step := range strings.SplitSeq(script, ", ") {
				action, detail, _ := strings.Cut(step, " ")
				if action == "list" {
					listed = count
					continue
				}
				if action != "" {
					count++
					e := event(action, detail)
					m.hear(subject(e), e, count, now)
				}
			}
			f := facts{id: "c", state: "running", attachments: []attachment{{name: "n", id: "n"}}, details: details{stopSignal: 3}}
			f, reason, _ := m.correct(f, listed, now.Add(time.Second), 30*time.Second)
			got := reason
			if reason == "" {
				got = f.state
			}
			if len(f.attachments) == 0 {
				got += " on nothing"
			}
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestAContainerThatOutlivesItsStopSignalIsBack(t *testing.T) {
	for timeout, back := range map[time.Duration]time.Duration{0: 30 * time.Second, 60 * time.Second: 65 * time.Second} {
		m, now := memory{}, time.Unix(5000, 0)
		m.hear("c", event("kill", "15"), 1, now)
		f := facts{id: "c", state: "running", details: details{stopSignal: 15, stopTimeout: timeout}}
		if _, reason, gone := m.correct(f, 1, now.Add(back-1), 30*time.Second); reason != "stopping" || !gone {
			t.Errorf("timeout %v: reason %q before %v", timeout, reason, back)
		}
		if _, reason, _ := m.correct(f, 1, now.Add(back), 30*time.Second); reason != "" {
			t.Errorf("timeout %v: reason %q after %v", timeout, reason, back)
		}
	}
}

func TestMemorySettles(t *testing.T) {
	m := memory{}
	for _, id := range []string{"gone", "new", "again", "dead"} {
		m.hear(id, event("die", ""), map[string]int{"gone": 1, "new": 3, "again": 2, "dead": 2}[id], time.Unix(0, 0))
	}
	doubted := func() string { return fmt.Sprint(slices.Sorted(maps.Keys(m.doubted()))) }
	if got := doubted(); got != "[again dead gone new]" {
		t.Errorf("doubted %s", got)
	}
	m.settle(map[string]facts{"again": {details: details{runs: true}}, "new": {details: details{runs: true}}, "dead": {}}, nil, 2)
	if got := doubted(); got != "[dead new]" {
		t.Errorf("doubted after the list %s", got)
	}
	if m["gone"] != nil || m["new"] == nil {
		t.Errorf("memory keeps %v", m)
	}
}

// Both events of a restart were missed, and only the signal that came first
// was heard of: it was for the run before.
func TestASignalIsForTheRunThatGotIt(t *testing.T) {
	run := func(second int64) map[string]facts {
		return map[string]facts{"c": {id: "c", details: details{stopSignal: 15, started: time.Unix(second, 0)}}}
	}
	for _, again := range []int64{200, 50} { // the clock may be set back meanwhile
		m, now := memory{}, time.Unix(5000, 0)
		m.hear("c", event("kill", "15"), 1, now)
		m.settle(run(100), run(100), 1)
		if _, reason, _ := m.correct(run(100)["c"], 1, now, time.Minute); reason != "stopping" {
			t.Errorf("the same run: %q", reason)
		}
		m.settle(run(again), run(100), 1)
		if _, reason, _ := m.correct(run(again)["c"], 1, now, time.Minute); reason != "" {
			t.Errorf("the next run: %q", reason)
		}
	}
}

func TestSignalNumber(t *testing.T) {
	for text, want := range map[string]int{
		"SIGTERM": 15, "term": 15, "15": 15, "SIGRTMIN+3": 37, "RTMIN": 34, "SIGRTMAX-1": 63, "KILL": 9,
		"": 0, "SIGNONE": 0, "RTMIN+x": 0,
	} {
		if got := signalNumber(text); got != want {
			t.Errorf("%q = %d, want %d", text, got, want)
		}
	}
}

func TestConcerns(t *testing.T) {
	e := event("start", "")
	e.Actor.Attributes = map[string]string{"app": "x", "name": "container-name"}
	sel := func(labels ...discovery.Label) selectors { return selectors{{Labels: labels}} }
	for want, s := range map[bool]selectors{
		true:  sel(discovery.Label{Key: "app", Value: "x"}, discovery.Label{Key: "name", Value: "overwritten"}),
		false: sel(discovery.Label{Key: "app", Value: "y"}),
	} {
		if concerns(s, e) != want {
			t.Errorf("concerns(%v) is not %v", s, want)
		}
	}
}

func TestFiltersAreWhatAllSelectorsShare(t *testing.T) {
	l := func(key, value string) discovery.Label {
		return discovery.Label{Key: key, Value: value, AnyValue: value == "*"}
	}
	for want, s := range map[string]selectors{
		"map[label:map[app=x:true env:true]]": {{Labels: []discovery.Label{l("app", "x"), l("env", "*")}}},
		"map[label:map[app:true env=p:true]]": {
			{Labels: []discovery.Label{l("app", "x"), l("env", "p")}}, {Labels: []discovery.Label{l("env", "p"), l("app", "y")}},
		},
	} {
		if got := fmt.Sprint(s.filters()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	apart := selectors{{Labels: []discovery.Label{l("a", "1")}}, {Labels: []discovery.Label{l("b", "1")}}}
	if got := apart.filters(); len(got) != 0 {
		t.Errorf("selectors without a common label: filters %v", got)
	}
}
