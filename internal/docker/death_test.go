package docker

import (
	"testing"
	"time"

	"rgate/internal/discovery"
	"rgate/internal/enginetest"
)

// On engine 20.10 a list made at a die event can still say "running".
func TestADieIsRememberedUntilAStart(t *testing.T) {
	fake, c, w, _ := started(t, nil)
	lists := fake.Lists()
	dieUnlisted(fake, c)
	w.await("the die", soon, reason("one", "stopped"))
	for fake.Lists() == lists {
		time.Sleep(time.Millisecond)
	}
	w.none(200 * time.Millisecond)
	fake.Start(c)
	w.await("the start", soon, usable("one"))
}

// No event tells when lists have caught up with a death; it may be that nobody
// can be asked whether they have.
func TestAListThatIsBehindIsMadeAgain(t *testing.T) {
	for name, faults := range map[string]enginetest.Faults{"": {}, "not inspected": {NoInspect: 403}} {
		t.Run(name, func(t *testing.T) {
			fake, c, w, _ := started(t, nil)
			fake.SetFaults(faults)
			lists := fake.Lists()
			dieUnlisted(fake, c)
			w.await("the die", soon, reason("one", "stopped"))
			for fake.Lists() == lists {
				time.Sleep(time.Millisecond)
			}
			w.none(100 * time.Millisecond) // the list is in by then
			c.State = "exited"
			fake.Set(c)
			w.await("that it is gone", soon, func(v discovery.View) bool { return len(v.Candidates) == 0 })
			lists = fake.Lists()
			w.none(300 * time.Millisecond)
			if n := fake.Lists() - lists; n != 0 {
				t.Errorf("%d lists of nothing new", n)
			}
		})
	}
}

// dieUnlisted makes a container die whose lists go on saying "running".
func dieUnlisted(fake *enginetest.Fake, c enginetest.FakeContainer) {
	c.State, c.Listed = "exited", "running"
	fake.Set(c)
	fake.Emit("die", c.ID, nil)
}

// The engine's clock may have been set back between the death and the start,
// and it may tell times in whole seconds.
func TestAMissedStartIsFoundOut(t *testing.T) {
	for when, clock := range map[string]func() time.Time{
		"later":               time.Now,
		"set back":            func() time.Time { return time.Now().Add(-time.Hour) },
		"in the same second":  func() time.Time { return time.Now().Truncate(time.Second) },
		"set back to the run": func() time.Time { return time.Unix(1000, 0) },
	} {
		t.Run(when, func(t *testing.T) {
			fake, c, w, _ := started(t, func(c *enginetest.FakeContainer) { c.Started = time.Unix(1000, 0) })
			dieUnlisted(fake, c)
			w.await("the die", soon, reason("one", "stopped"))
			c.Started = clock()
			fake.Set(c)
			fake.CloseStreams()
			w.await("the container that started unheard", soon, usable("one"))
		})
	}
}
