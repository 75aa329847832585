package docker

import (
	"testing"

	"rgate/internal/discovery"
	"rgate/internal/enginetest"
)

// Who reloads goes from the picture of the old selectors to that of the new:
// no view is without an endpoint, and each says what it answers.
func TestAViewAnswersTheOldSelectorsUntilItAnswersTheNew(t *testing.T) {
	fake, c, w, _ := started(t, nil)
	c.ID, c.Name, c.Labels = fakeContainer("two", "", 0).ID, "two", map[string]string{"app": "y"}
	fake.Set(c)
	for n := range 20 {
		from, to := "x", "y"
		name := "two"
		if n%2 == 1 {
			from, to, name = "y", "x", "one"
		}
		selector := app(to)
		selector.Backend = "the same"
		w.source.Select([]discovery.Selector{selector})
		w.await("the container of "+to, soon, func(v discovery.View) bool {
			if len(v.Candidates) != 1 || !v.Candidates[0].Usable() || len(v.Selectors) != 1 {
				t.Errorf("a view on the way from %s to %s: %+v", from, to, v)
			}
			return v.Candidates[0].Name == name && v.Selectors[0].Equal(selector)
		})
	}
}

// While the engine does not list, the old picture is kept up to date by events,
// and says that it is the old one.
func TestAViewOfTheOldSelectorsIsKeptUpToDate(t *testing.T) {
	fake, c, w, _ := started(t, nil)
	fake.SetFaults(enginetest.Faults{HangList: true})
	w.source.Select([]discovery.Selector{app("y")})
	fake.Emit("die", c.ID, nil)
	v := w.await("the die", soon, reason("one", "stopped"))
	if len(v.Selectors) != 1 || !v.Selectors[0].Equal(app("x")) {
		t.Errorf("it says that it answers %+v", v.Selectors)
	}
	_, port := listen(t)
	fake.Start(fakeContainer("two", "y", port)) // none of the old, all of the new
	fake.SetFaults(enginetest.Faults{})
	fake.CloseStreams()
	w.await("the new one", soon, func(v discovery.View) bool {
		return usable("two")(v) && len(v.Selectors) == 1 && v.Selectors[0].Equal(app("y"))
	})
}
