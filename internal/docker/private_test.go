package docker

import (
	"syscall"
	"testing"
	"time"

	"rgate/internal/discovery"
	"rgate/internal/enginetest"
)

// The engine is killed, hung and restarted while its container lives: the view
// keeps the container without a gap.
func TestADaemonThatComesAndGoes(t *testing.T) {
	real := enginetest.Private(t, enginetest.PrivateOptions{LiveRestore: true})
	r := rig{t: t, real: real, image: real.Build(t, enginetest.Image{Expose: []string{}}), app: "x"}
	c := r.run(t, enginetest.RunOptions{})
	timing := usualTiming()
	timing.relist, timing.patience = time.Second, time.Second
	e, log := open(t, real.Host, timing)
	w := watchIt(t, e, app("x"))
	addr := c.IP("bridge") + ":8080"
	never := func(ok func(discovery.View) bool) func(discovery.View) bool {
		return func(v discovery.View) bool {
			if !usable(c.Name)(v) {
				t.Errorf("a gap: %s", show(v))
			}
			return ok(v)
		}
	}
	w.await("the container", long, usable(c.Name))

	real.Kill(t)
	w.await("that it is away", long, never(stale("")))
	get(t, addr)
	real.Start(t)
	w.await("that it is back", long, never(fresh))

	real.Signal(t, syscall.SIGSTOP)
	w.await("that it hangs", long, never(stale("has not answered")))
	get(t, addr)
	real.Signal(t, syscall.SIGCONT)
	w.await("that it goes on", long, never(fresh))

	real.Restart(t) // too quick, perhaps, to be noticed
	c.Stop(5 * time.Second)
	w.await("the stop", long, usable())
	w.stop()
	if n := log.count("may be stale"); n < 2 || n > 3 {
		t.Errorf("logged %d times that the view is stale, want 2 or 3", n)
	}
}

// Without live-restore containers die with the daemon and start with it, and
// nobody is there to hear of their start.
func TestContainersThatRestartWithTheDaemon(t *testing.T) {
	real := enginetest.Private(t, enginetest.PrivateOptions{})
	r := rig{t: t, real: real, image: real.Build(t, enginetest.Image{Expose: []string{}}), app: "x"}
	c := r.run(t, enginetest.RunOptions{Restart: "always"})
	e, _ := open(t, real.Host, usualTiming())
	w := watchIt(t, e, app("x"))
	w.await("the container", long, usable(c.Name))
	before := w.last.Candidates[0].Started
	real.Restart(t)
	w.await("that both are back", long, both(fresh, func(v discovery.View) bool {
		return usable(c.Name)(v) && v.Candidates[0].Started.After(before)
	}))
}
