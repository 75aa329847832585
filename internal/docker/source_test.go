package docker

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"

	"rgate/internal/discovery"
	"rgate/internal/enginetest"
	"rgate/internal/trial"
)

// soon is well under a second, with room for a busy machine.
const soon = 20 * time.Second

// started is a fake engine with one container that listens, watched.
func started(t *testing.T, change func(*enginetest.FakeContainer)) (*enginetest.Fake, enginetest.FakeContainer, *watching, *logged) {
	t.Helper()
	return startedWith(t, fast(), change)
}

func startedWith(t *testing.T, timing timing, change func(*enginetest.FakeContainer)) (*enginetest.Fake, enginetest.FakeContainer, *watching, *logged) {
	t.Helper()
	fake := enginetest.NewFake(t)
	_, port := listen(t)
	c := fakeContainer("one", "x", port)
	if change != nil {
		change(&c)
	}
	fake.Set(c)
	e, log := open(t, fake.Host, timing)
	w := watchIt(t, e, app("x"))
	w.await("the container", soon, usable("one"))
	return fake, c, w, log
}

func TestTheFirstViewIsProven(t *testing.T) {
	fake := enginetest.NewFake(t)
	_, port := listen(t)
	fake.Set(fakeContainer("one", "x", port))
	fake.Set(fakeContainer("stranger", "y", port))
	e, _ := open(t, fake.Host, usualTiming())
	w := watchIt(t, e, app("x"))
	first := w.await("any", soon, func(discovery.View) bool { return true })
	one := fakeContainer("one", "x", port)
	want := discovery.View{Source: "docker", Selectors: []discovery.Selector{app("x")}, Candidates: []discovery.Candidate{{
		Backend: "x", ID: one.ID, Name: "one", Address: fmt.Sprintf("127.0.0.1:%d", port),
		Created: time.Unix(1000, 0).UTC(), Started: first.Candidates[0].Started, Weight: 1,
	}}}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Error(diff)
	}
	w.none(100 * time.Millisecond)
}

func TestABurstOfEventsBecomesOneList(t *testing.T) {
	timing := fast()
	timing.quiet, timing.burst = time.Second, time.Minute // longer than it takes to send them
	fake, c, w, _ := startedWith(t, timing, nil)
	before := fake.Lists()
	for range 100 {
		fake.Emit("health_status: healthy", c.ID, nil)
	}
	_, port := listen(t)
	fake.Start(fakeContainer("two", "x", port))
	w.await("both", soon, usable("one", "two"))
	if n := fake.Lists() - before; n != 1 {
		t.Errorf("%d lists, want 1", n)
	}
}

func TestEventsOfStrangersCostNothing(t *testing.T) {
	fake, _, w, _ := started(t, nil)
	before := fake.Lists()
	fake.Set(fakeContainer("stranger", "y", 1))
	for range 1000 {
		fake.Emit("start", fakeContainer("stranger", "y", 1).ID, nil)
		fake.Emit("die", fakeContainer("stranger", "y", 1).ID, nil)
	}
	w.none(300 * time.Millisecond)
	if n := fake.Lists() - before; n != 0 {
		t.Errorf("%d lists, want 0", n)
	}
}

// While lists hang, what events say by themselves must show in the view.
func TestUrgentEventsNeedNoList(t *testing.T) {
	for name, row := range map[string]struct {
		action string
		detail string
		reason string
	}{
		"stop signal":        {"kill", "3", "stopping"},
		"KILL":               {"kill", "9", "stopping"},
		"die":                {"die", "", "stopped"},
		"pause":              {"pause", "", "paused"},
		"destroy":            {"destroy", "", "stopped"},
		"another signal":     {"kill", "1", ""},
		"SIGTERM is another": {"kill", "15", ""},
	} {
		t.Run(name, func(t *testing.T) {
			fake, c, w, _ := started(t, func(c *enginetest.FakeContainer) { c.StopSignal = "SIGQUIT" })
			fake.SetFaults(enginetest.Faults{HangList: true})
			fake.Emit(row.action, c.ID, map[string]string{"signal": row.detail})
			if row.reason == "" {
				w.none(200 * time.Millisecond)
				return
			}
			w.await(row.reason, soon, reason("one", row.reason))
		})
	}
}

func TestAnIgnoredStopSignalIsForgotten(t *testing.T) {
	fake := enginetest.NewFake(t)
	_, port := listen(t)
	c := fakeContainer("one", "x", port)
	fake.Set(c)
	timing := fast()
	timing.grace = 5*time.Second + 100*time.Millisecond // the least is 5 s
	e, _ := open(t, fake.Host, timing)
	w := watchIt(t, e, app("x"))
	w.await("the container", soon, usable("one"))
	fake.Emit("kill", c.ID, map[string]string{"signal": "15"})
	w.await("the kill", soon, reason("one", "stopping"))
	begun := time.Now()
	w.await("its return", soon, usable("one"))
	if d := time.Since(begun); d < 4*time.Second {
		t.Errorf("back after %v", d)
	}
}

func TestPauseAndUnpause(t *testing.T) {
	fake, c, w, _ := started(t, nil)
	paused := c
	paused.State = "paused"
	fake.Set(paused)
	fake.Emit("pause", c.ID, nil)
	w.await("the pause", soon, reason("one", "paused"))
	fake.Set(c)
	fake.Emit("unpause", c.ID, nil)
	w.await("the unpause", soon, usable("one"))
}

// A list does not tell how well a paused container is, so that one that goes on
// is out until a list tells.
func TestAnUnhealthyContainerThatWasPaused(t *testing.T) {
	fake, c, w, _ := started(t, func(c *enginetest.FakeContainer) { c.Health = "healthy" })
	fake.SetHealth(c.ID, "unhealthy")
	w.await("that it is unhealthy", soon, reason("one", "unhealthy"))
	c.Health, c.State = "unhealthy", "paused"
	lists := fake.Lists()
	fake.Set(c)
	fake.Emit("pause", c.ID, nil)
	w.await("the pause", soon, reason("one", "paused"))
	for fake.Lists() == lists {
		time.Sleep(time.Millisecond)
	}
	w.none(100 * time.Millisecond) // the list is in by then
	c.State = "running"
	fake.Set(c)
	fake.Emit("unpause", c.ID, nil)
	w.await("that it still is unhealthy", soon, func(v discovery.View) bool {
		if !usable()(v) {
			t.Errorf("it takes requests: %s", show(v))
		}
		return reason("one", "unhealthy")(v)
	})
	fake.SetHealth(c.ID, "healthy")
	w.await("that it is well", soon, usable("one"))
}

func TestHealthCounts(t *testing.T) {
	fake, c, w, _ := started(t, func(c *enginetest.FakeContainer) { c.Health = "healthy" })
	fake.SetHealth(c.ID, "unhealthy")
	w.await("unhealthy", soon, reason("one", "health: unhealthy"))
	fake.SetHealth(c.ID, "healthy")
	w.await("healthy", soon, usable("one"))
}

func TestAContainerIsTakenOnceItListens(t *testing.T) {
	fake := enginetest.NewFake(t)
	port := trial.Port(t)
	fake.Set(fakeContainer("one", "x", port))
	e, _ := open(t, fake.Host, fast())
	w := watchIt(t, e, app("x"))
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	w.await("a reason", soon, reason("one", "not listening yet on "+addr))
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	w.await("that it listens", soon, usable("one"))
}

// 255.255.255.255 is refused by the kernel itself, so nothing is sent there.
func TestAutoFallsBackToThePublishedPort(t *testing.T) {
	_, public := listen(t)
	_, _, w, log := started(t, func(c *enginetest.FakeContainer) {
		c.Networks = map[string]string{"bridge": "255.255.255.255"}
		c.Ports = []container.PortSummary{{PrivatePort: 80, PublicPort: uint16(public), Type: "tcp"}}
	})
	if got, want := w.last.Candidates[0].Address, fmt.Sprintf("127.0.0.1:%d", public); got != want {
		t.Errorf("address %s, want %s", got, want)
	}
	if log.count("left out") != 0 {
		t.Error("the log says that it is left out")
	}
}

func TestOneMalformedContainerHarmsNothingElse(t *testing.T) {
	fake, _, w, log := started(t, nil)
	noPort := fakeContainer("two", "x", 1)
	noPort.Ports = nil
	fake.Start(noPort)
	w.await("no port", soon, both(usable("one"), reason("two", "no TCP port")))
	nowhere := fakeContainer("three", "x", 1)
	nowhere.Networks = map[string]string{"bridge": "255.255.255.255"}
	fake.Start(nowhere)
	w.await("unreachable", soon, both(usable("one"), reason("three", "unreachable")))
	orphan := fakeContainer("four", "x", 1)
	orphan.Mode = "container:gone"
	fake.Start(orphan)
	w.await("no donor", soon, both(usable("one"), reason("four", "container gone")))
	w.stop()
	if log.count("left out") != 3 {
		t.Errorf("the log says %d times what is left out, want 3:\n%s", log.count("left out"), log.text.String())
	}
}

func TestANetworkLeftIsOutAtOnce(t *testing.T) {
	fake, c, w, _ := started(t, nil)
	fake.SetFaults(enginetest.Faults{HangList: true})
	fake.EmitRaw(events.Message{Type: events.NetworkEventType, Action: "disconnect",
		Actor: events.Actor{ID: "bridge-id", Attributes: map[string]string{"container": c.ID}}})
	w.await("that the network is gone", soon, reason("one", "on no network"))
	fake.SetFaults(enginetest.Faults{})
	w.await("the list that says otherwise", soon, usable("one"))
}

// Engine 20.10 tells of a connection before it writes it down, and lists what
// was written: the list that follows the event may be too early.
func TestANetworkJoinedIsFoundThoughListsAreLate(t *testing.T) {
	fake, c, w, _ := started(t, nil)
	left := c
	left.Networks = nil
	fake.Set(left)
	fake.EmitRaw(events.Message{Type: "network", Action: "disconnect", Actor: events.Actor{ID: "bridge-id", Attributes: map[string]string{"container": c.ID}}})
	w.await("that it is on no network", soon, usable())
	fake.Connect(c.ID, "other", "127.0.0.1")
	w.await("that it is on another", soon, usable("one"))
}

func TestTheNetworkOfAnotherContainer(t *testing.T) {
	fake := enginetest.NewFake(t)
	_, port := listen(t)
	donor := fakeContainer("donor", "sidecar", 1)
	user := fakeContainer("one", "x", port)
	user.Mode, user.Networks = "container:"+donor.ID, nil
	user.Ports, user.Exposed = nil, []string{fmt.Sprintf("%d/tcp", port), "53/udp"}
	fake.Set(donor)
	fake.Set(user)
	e, _ := open(t, fake.Host, fast())
	w := watchIt(t, e, app("x"))
	w.await("the container", soon, usable("one"))
	fake.Remove(donor.ID)
	w.await("that the donor is gone", soon, reason("one", "uses the network of container"))
}

func TestSelectListsAtOnce(t *testing.T) {
	fake, _, w, _ := started(t, nil)
	_, port := listen(t)
	fake.Set(fakeContainer("two", "y", port)) // no event tells
	w.source.Select([]discovery.Selector{app("x"), app("y")})
	w.await("both", soon, usable("one", "two"))
	w.source.Select([]discovery.Selector{app("y")})
	w.await("the other alone", soon, usable("two"))
	w.source.Select(nil)
	w.await("nothing", soon, func(v discovery.View) bool { return len(v.Candidates) == 0 })
}

func TestANoteIsLoggedOnce(t *testing.T) {
	fake, c, w, log := started(t, func(c *enginetest.FakeContainer) {
		c.Ports = append(c.Ports, container.PortSummary{PrivatePort: 65000, Type: "tcp"}, container.PortSummary{PrivatePort: 1, Type: "udp"})
	})
	for range 3 {
		lists := fake.Lists()
		fake.Emit("rename", c.ID, nil)
		for fake.Lists() == lists {
			time.Sleep(time.Millisecond)
		}
	}
	w.stop()
	if n := log.count("exposes ports"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	if !strings.Contains(w.last.Candidates[0].Note, "65000") {
		t.Errorf("note %q", w.last.Candidates[0].Note)
	}
}

func TestAnEngineThatForbidsInspecting(t *testing.T) {
	fake := enginetest.NewFake(t)
	fake.SetFaults(enginetest.Faults{NoInspect: 403})
	_, port := listen(t)
	c := fakeContainer("one", "x", port)
	fake.Set(c)
	e, _ := open(t, fake.Host, fast())
	w := watchIt(t, e, app("x"))
	w.await("the container", soon, usable("one"))
	fake.Emit("kill", c.ID, map[string]string{"signal": "15"})
	w.await("the usual stop signal", soon, reason("one", "stopping"))
}

func TestGETAloneIsSent(t *testing.T) {
	fake, _, w, _ := started(t, nil)
	w.stop()
	for _, r := range fake.Requests() {
		if !strings.HasPrefix(r, "GET ") {
			t.Errorf("sent %s", r)
		}
	}
	if r := fake.Requests(); !slices.Contains(r, "GET /v1.41/events") || !slices.Contains(r, "GET /v1.41/containers/json") {
		t.Errorf("sent %v", r)
	}
}
