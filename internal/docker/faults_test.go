package docker

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rgate/internal/discovery"
	"rgate/internal/enginetest"
)

func stale(text string) func(discovery.View) bool {
	return func(v discovery.View) bool { return v.Stale != "" && strings.Contains(v.Stale, text) }
}

func fresh(v discovery.View) bool { return v.Stale == "" }

func TestStartsWithoutAnEngine(t *testing.T) {
	fake := enginetest.NewFake(t)
	fake.Down()
	_, port := listen(t)
	fake.Set(fakeContainer("one", "x", port))
	e, log := open(t, fake.Host, fast())
	w := watchIt(t, e, app("x"))
	w.await("that it is unready", soon, both(stale("start Docker"), usable()))
	w.none(300 * time.Millisecond)
	fake.Up()
	w.await("the container", soon, both(fresh, usable("one")))
	w.stop()
	if n := log.count("cannot ask the Docker engine"); n != 1 {
		t.Errorf("logged %d times that the engine is away, want 1", n)
	}
}

func TestPermissionDeniedExplainsTheFix(t *testing.T) {
	if os.Geteuid() == 0 { // root may open any socket, so play the kernel's answer
		got := explain(&os.SyscallError{Syscall: "connect", Err: syscall.EACCES}, target{scheme: "unix", addr: "/s"}, 0, "")
		if !strings.Contains(got, "--group-add") {
			t.Errorf("explained as %q", got)
		}
		return
	}
	fake := enginetest.NewFake(t)
	if err := os.Chmod(strings.TrimPrefix(fake.Host, "unix://"), 0); err != nil {
		t.Fatal(err)
	}
	e, _ := open(t, fake.Host, fast())
	watchIt(t, e, app("x")).await("the fix", soon, stale("--group-add"))
}

// Whatever breaks, the endpoints last known are kept, flagged stale once, and
// fresh once it is mended.
func TestAnEngineThatBreaks(t *testing.T) {
	for name, row := range map[string]struct {
		faults enginetest.Faults
		stale  string
	}{
		"answers 500":         {enginetest.Faults{Status: http.StatusInternalServerError}, "broken as told"},
		"truncates lists":     {enginetest.Faults{TruncateList: true}, "unexpected end of JSON input"},
		"hangs in lists":      {enginetest.Faults{HangList: true}, "has not answered within 2s"},
		"hangs in events":     {enginetest.Faults{HangEvents: true}, "has not answered within 2s"},
		"hangs in version":    {enginetest.Faults{HangVersion: true}, "has not answered within 2s"},
		"speaks too old APIs": {enginetest.Faults{MaxAPI: "1.39"}, "rgate needs 1.40"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, _, w, log := started(t, nil)
			fake.SetFaults(row.faults)
			fake.CloseStreams()
			w.await("that it is stale", soon, both(stale(row.stale), usable("one")))
			w.none(500 * time.Millisecond)
			fake.SetFaults(enginetest.Faults{})
			w.await("that it is fresh", soon, both(fresh, usable("one")))
			w.stop()
			if n := log.count("may be stale"); n != 1 {
				t.Errorf("logged %d times that the view is stale, want 1", n)
			}
		})
	}
}

func TestASocketThatVanishesAndComesBack(t *testing.T) {
	fake, _, w, _ := started(t, nil)
	_, port := listen(t)
	fake.Down()
	w.await("that it is stale", soon, both(stale("socket"), usable("one")))
	fake.Set(fakeContainer("two", "x", port))
	fake.Up()
	w.await("what came meanwhile", soon, both(fresh, usable("one", "two")))
}

func TestAStreamThatClosesAgainAndAgainIsNotStale(t *testing.T) {
	fake, _, w, log := started(t, nil)
	for range 20 {
		fake.CloseStreams()
		time.Sleep(10 * time.Millisecond)
	}
	_, port := listen(t)
	fake.Start(fakeContainer("two", "x", port))
	w.await("news", soon, usable("one", "two"))
	w.stop()
	if n := log.count("stale"); n != 0 {
		t.Errorf("logged %d times that it is stale", n)
	}
}

func TestWhatHappensBetweenStreamsIsHeard(t *testing.T) {
	fake, c, w, _ := started(t, nil)
	_, port := listen(t)
	fake.Start(fakeContainer("two", "x", port))
	w.await("both", soon, usable("one", "two"))
	fake.SetFaults(enginetest.Faults{HangVersion: true})
	fake.CloseStreams()
	dieUnlisted(fake, c)
	fake.SetFaults(enginetest.Faults{})
	w.await("the die", soon, both(usable("two"), reason("one", "stopped")))
}

func TestAMuteStreamIsMadeUpForByLists(t *testing.T) {
	fake := enginetest.NewFake(t)
	fake.SetFaults(enginetest.Faults{MuteEvents: true})
	timing := fast()
	timing.relist = 200 * time.Millisecond
	e, _ := open(t, fake.Host, timing)
	w := watchIt(t, e, app("x"))
	w.await("nothing", soon, usable())
	_, port := listen(t)
	fake.Start(fakeContainer("one", "x", port))
	w.await("the container", soon, usable("one"))
}

// An engine upgraded in place may no longer speak the API agreed on before.
func TestAnEngineUpgradedInPlace(t *testing.T) {
	fake, _, w, _ := started(t, nil)
	fake.SetFaults(enginetest.Faults{MinAPI: "1.44", MaxAPI: "1.99"})
	fake.CloseStreams()
	_, port := listen(t)
	fake.Start(fakeContainer("two", "x", port))
	w.await("news", soon, both(fresh, usable("one", "two")))
	w.stop()
	if !slices.Contains(fake.Requests(), "GET /v1.56/containers/json") {
		t.Errorf("sent %v", fake.Requests())
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	fake := enginetest.NewFake(t)
	e, _ := open(t, fake.Host, usualTiming())
	for _, faults := range []enginetest.Faults{{}, {HangVersion: true}, {HangEvents: true}, {HangList: true}} {
		fake.SetFaults(faults)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		begun := time.Now()
		err := e.Source([]discovery.Selector{app("x")}).Watch(ctx, func(discovery.View) {})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > soon {
			t.Errorf("%+v: %v after %v", faults, err, time.Since(begun))
		}
	}
}

func TestSurveyOfABrokenEngine(t *testing.T) {
	fake := enginetest.NewFake(t)
	e, _ := open(t, fake.Host, fast())
	fake.SetFaults(enginetest.Faults{HangList: true})
	if _, err := e.Survey(t.Context(), []discovery.Selector{app("x")}); err == nil || !strings.Contains(err.Error(), "has not answered") {
		t.Errorf("hanging: %v", err)
	}
	fake.Down()
	if _, err := e.Survey(t.Context(), []discovery.Selector{app("x")}); err == nil || !strings.Contains(err.Error(), "start Docker") {
		t.Errorf("down: %v", err)
	}
}

func TestProbesAreBoundedAndEnd(t *testing.T) {
	timing := fast()
	timing.probe, timing.probeMany = time.Millisecond, 10*time.Millisecond
	timing.probeSlow, timing.probeRare = 20*time.Millisecond, 40*time.Millisecond
	p := newProber(timing)
	l, _ := listen(t)
	key := func(i int) probeKey { return probeKey{id: "c", started: int64(i), addr: "255.255.255.255:80"} }
	for i := range 200 {
		p.look(key(i), false)
	}
	good := probeKey{id: "c", addr: l.Addr().String()}
	p.look(good, false)
	for {
		<-p.changed
		if known, _ := p.look(good, true); known == accepts {
			break
		}
	}
	for i := range 200 {
		for known, _ := p.look(key(i), true); known == untried; known, _ = p.look(key(i), true) {
			<-p.changed
		}
	}
	p.retain(map[probeKey]bool{good: true})
	if known, _ := p.look(probeKey{id: "c", addr: "255.255.255.255:80"}, true); known != untried {
		t.Errorf("a probe nobody wants is kept: %v", known)
	}
	p.close()
}
