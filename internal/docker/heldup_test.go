package docker

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/discovery"
	"rgate/internal/enginetest"
)

// hurried is a timing that soon gives an inspection up.
func hurried() timing {
	t := fast()
	t.patience = usualTiming().patience
	t.inspect, t.again = 100*time.Millisecond, 500*time.Millisecond
	return t
}

// An engine waits for a container that hangs at its start or end before it
// tells of it, and answers everything else meanwhile.
func TestAContainerThatHangsHoldsUpNoOther(t *testing.T) {
	fake := enginetest.NewFake(t)
	_, port := listen(t)
	fake.SetFaults(enginetest.Faults{HangInspect: "hung"})
	for _, name := range []string{"hung", "one"} {
		fake.Set(fakeContainer(name, "x", port))
	}
	e, log := open(t, fake.Host, hurried())
	w := watchIt(t, e, app("x"))
	w.await("both, the one by what the list tells", soon, both(fresh, usable("hung", "one")))
	fake.Start(fakeContainer("two", "x", port))
	w.await("a newcomer", soon, both(fresh, usable("hung", "one", "two")))
	hung := fakeContainer("hung", "x", port)
	fake.Emit("die", hung.ID, nil) // and it is listed, as its end is not over
	w.await("the die", soon, both(fresh, usable("one", "two")))
	fake.Start(fakeContainer("three", "x", port))
	w.await("another newcomer", soon, both(fresh, usable("one", "three", "two")))
	hung.State = "running"
	fake.Set(hung)
	fake.SetFaults(enginetest.Faults{})
	fake.CloseStreams()
	w.await("that it goes on", soon, both(fresh, usable("hung", "one", "three", "two")))
	w.stop()
	if n := log.count("stale"); n != 0 {
		t.Errorf("logged %d times that the view is stale", n)
	}
}

// Many containers, each inspected in good time, may take longer than an engine
// may take for one answer.
func TestAListOfManyMayTakeLong(t *testing.T) {
	fake := enginetest.NewFake(t)
	_, port := listen(t)
	timing := fast()
	timing.patience = time.Second
	const each = 50 * time.Millisecond
	many := int(16 * timing.patience / each)
	fake.SetFaults(enginetest.Faults{SlowInspect: each})
	for i := range many {
		fake.Set(fakeContainer(fmt.Sprintf("c%03d", i), "x", port))
	}
	e, _ := open(t, fake.Host, timing)
	watchIt(t, e, app("x")).await("all", long, func(v discovery.View) bool {
		for _, c := range v.Candidates {
			if !c.Usable() || c.Started.IsZero() {
				return false
			}
		}
		return v.Stale == "" && len(v.Candidates) == many
	})
}

// Where no inspection is answered, a list does not wait for each of them.
func TestManyThatHang(t *testing.T) {
	fake := enginetest.NewFake(t)
	_, port := listen(t)
	fake.SetFaults(enginetest.Faults{HangInspect: "hung"})
	const many = 100
	for i := range many {
		fake.Set(fakeContainer(fmt.Sprintf("hung%03d", i), "x", port))
	}
	e, _ := open(t, fake.Host, hurried())
	w := watchIt(t, e, app("x"))
	w.await("all", soon, func(v discovery.View) bool {
		usable := 0
		for _, c := range v.Candidates {
			if c.Usable() {
				usable++
			}
		}
		return v.Stale == "" && usable == many
	})
	w.stop()
	asked := 0
	for _, r := range fake.Requests() {
		if strings.HasPrefix(r, http.MethodGet+" /v1.41/containers/0") {
			asked++
		}
	}
	if asked > 2*mostHeldUp {
		t.Errorf("%d inspections in vain", asked)
	}
}

// A container that others use the network of hangs: they are reached as before.
func TestADonorThatHangs(t *testing.T) {
	fake := enginetest.NewFake(t)
	_, port := listen(t)
	donor := fakeContainer("donor", "none", port)
	fake.Set(donor)
	user := fakeContainer("user", "x", port)
	user.Mode, user.Networks, user.Ports = "container:"+donor.ID, nil, nil
	user.Exposed = []string{fmt.Sprint(port)}
	fake.Set(user)
	e, _ := open(t, fake.Host, hurried())
	w := watchIt(t, e, app("x"))
	w.await("the user", soon, usable("user"))
	fake.SetFaults(enginetest.Faults{HangInspect: "donor"})
	fake.Start(fakeContainer("new", "x", port))
	w.await("a newcomer", soon, both(fresh, usable("new", "user")))
	w.none(200 * time.Millisecond)
}
