package docker

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/events"

	"rgate/internal/enginetest"
)

// What is no answer empties no table: the last view is kept, and told once.
func TestNonsenseFromTheEngine(t *testing.T) {
	id := strings.Repeat("a", 64)
	for _, path := range []string{"/version", "/info", "/containers/json", "/events", "/" + fakeContainer("one", "x", 1).ID + "/json"} {
		bodies := []string{"[", "{", `"text"`, "7", `[7]`, `[{"Id":7}]`, `{"Id":7,"ApiVersion":7,"OperatingSystem":7,"Type":7}`, "<html>"}
		if path != "/events" { // where these are no events at all
			bodies = append(bodies, "", "null", `{}`, `[null]`, `[{}]`, `{"message":"x"}`, `[{"Id":"`+id+`"}]`)
		}
		if path == "/events" {
			bodies = []string{"7", `"text"`, `[7]`, `{"Type":7}`, "<html>"}
		}
		for _, body := range bodies {
			t.Run(path+" "+body, func(t *testing.T) {
				fake, _, w, log := started(t, nil)
				fake.SetFaults(enginetest.Faults{Garbage: map[string]string{path: body}})
				fake.CloseStreams()
				w.await("that it is stale", soon, both(stale(""), usable("one")))
				fake.SetFaults(enginetest.Faults{})
				w.await("that it is fresh", soon, both(fresh, usable("one")))
				w.stop()
				if log.count("may be stale") == 0 {
					t.Error("the log does not say it")
				}
			})
		}
	}
}

func TestEndlessAnswersAreBounded(t *testing.T) {
	fake, _, w, _ := started(t, nil)
	fake.SetFaults(enginetest.Faults{Garbage: map[string]string{"/events": `{"Type":"` + strings.Repeat("x", mostEvent+1<<16)}})
	fake.CloseStreams()
	w.await("that it is stale", soon, both(stale("longer than"), usable("one")))
}

func TestReasonsAreBounded(t *testing.T) {
	fake, _, w, _ := started(t, nil)
	fake.SetFaults(enginetest.Faults{Garbage: map[string]string{"/version": strings.Repeat("é", 1<<18)}})
	fake.CloseStreams()
	if v := w.await("that it is stale", soon, stale("")); len(v.Stale) > 600 {
		t.Errorf("the reason has %d bytes", len(v.Stale))
	}
	if got := excerpt("éé", 3); got != "é…" {
		t.Errorf("cut to %q", got)
	}
}

// rgate's own container leaves a network: what was reached by it must show
// that it still can be.
func TestRgateLeavesAndJoinsANetwork(t *testing.T) {
	fake := enginetest.NewFake(t)
	l, port := listen(t)
	c, self := fakeContainer("one", "x", port), fakeContainer("self", "rgate", 1)
	fake.Set(c)
	fake.Set(self)
	e, _ := open(t, fake.Host, usualTiming())
	e.container = self.ID
	w := watchIt(t, e, app("x"))
	w.await("the container", soon, usable("one"))
	_ = l.Close()
	tell := func(action events.Action) {
		fake.EmitRaw(events.Message{Type: events.NetworkEventType, Action: action,
			Actor: events.Actor{ID: "bridge-id", Attributes: map[string]string{"container": self.ID}}})
	}
	tell(events.ActionDisconnect)
	w.await("that it is no longer ready", soon, usable())
	tell(events.ActionConnect)
	w.await("that it was tried", soon, reason("one", "not listening yet on "+c.Networks["bridge"]+":"+strings.Split(l.Addr().String(), ":")[1]))
}
