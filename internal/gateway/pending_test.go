package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rgate/internal/discovery"
	"rgate/internal/route"
	"rgate/internal/upstream"
)

// labelledAs is a configuration whose backends look for these labels, the
// first one routed.
func labelledAs(more string, labels ...string) string {
	text := "routes: [{path_prefix: /, backend: b0}]\n" + more + "\nbackends:\n"
	for n, label := range labels {
		text += fmt.Sprintf("  - {name: b%d, match_labels: [%s]}\n", n, label)
	}
	return text
}

// answering is a view that answers what the source is asked now, by one
// container per backend.
func (s *fakeSource) answering(addresses ...string) discovery.View {
	v := discovery.View{Source: "fake", Selectors: s.selected()}
	for n, one := range v.Selectors {
		v.Candidates = append(v.Candidates, discovery.Candidate{
			Backend: one.Backend, ID: fmt.Sprintf("%s-%064d", one.Labels[0], n), Name: one.Labels[0].String(), Address: addresses[n], Weight: 1,
		})
	}
	return v
}

// reloading reloads, and tells what came of it.
func (r *running) reloading() <-chan outcome {
	done := make(chan outcome, 1)
	go func() { note, err := r.Reload(); done <- outcome{note, err} }()
	return done
}

func (r *running) answers(want string) {
	r.t.Helper()
	if status, body := r.get("/"); status != 200 || body != want {
		r.t.Errorf("got %d %q instead of %q", status, body, want)
	}
}

// awaitSelected waits until the source looks for a label.
func (r *running) awaitSelected(s *fakeSource, label string) {
	r.t.Helper()
	until(r.t, "the source looks for "+label, func() bool {
		return slices.ContainsFunc(s.selected(), func(one discovery.Selector) bool { return one.Labels[0].String() == label })
	})
}

// A reload that asks something else of the engine takes effect with its answer,
// and the endpoints before serve until then, kept up to date where the new
// configuration asks for the same.
func TestAReloadWaitsForItsEndpoints(t *testing.T) {
	one, two, three := backend(t, "one"), backend(t, "two"), backend(t, "three")
	for name, next := range map[string]string{
		"labels":  labelledAs("", "app=y", "side=1"),
		"port":    strings.Replace(labelledAs("", "app=y", "side=1"), "[app=y]", "[app=y], port: 81", 1),
		"renamed": strings.ReplaceAll(labelledAs("", "app=y", "side=1"), "b0", "a0"),
	} {
		t.Run(name, func(t *testing.T) {
			source := newFakeSource()
			r := start(t, labelledAs("", "app=x", "side=1"), source)
			source.views <- source.answering(one, one)
			until(t, "the container answers", func() bool { status, _ := r.get("/"); return status == 200 })
			r.write(next)
			done := r.reloading()
			r.awaitSelected(source, "app=y")
			r.answers("one")
			half := source.answering(two, three) // of the new, but the first
			half.Selectors = half.Selectors[1:]
			half.Candidates = half.Candidates[1:]
			source.views <- half
			until(t, "the rest is up to date", func() bool {
				return slices.ContainsFunc(r.Table().Backend("b1").Endpoints, func(e *upstream.Endpoint) bool { return e.Address == three })
			})
			r.answers("one")
			source.views <- source.answering(two, three)
			if out := <-done; out != (outcome{}) {
				t.Errorf("reload: %+v", out)
			}
			r.answers("two")
			if n := strings.Count(r.log.String(), "configuration reloaded"); n != 1 {
				t.Errorf("it says so %d times", n)
			}
		})
	}
}

// An engine that does not answer does not put off a reload for ever, nor do
// reloads one after the other.
func TestAReloadDoesNotWaitForEver(t *testing.T) {
	source := newFakeSource()
	r := run(t, Options{File: t.TempDir() + "/c.yml", Config: parsed(t, labelledAs("", "app=x")), Source: source, Poll: time.Hour},
		func(g *Gateway) { g.placeLimit = 300 * time.Millisecond })
	source.views <- source.answering(backend(t, "one"))
	until(t, "the container answers", func() bool { status, _ := r.get("/"); return status == 200 })
	for n := 0; !strings.Contains(r.log.String(), "takes effect before all of it is known"); n++ {
		r.write(labelledAs(fmt.Sprintf("retries: %d", n%5), "app=y"))
		out := r.reloading()
		select {
		case <-time.After(50 * time.Millisecond):
		case got := <-out:
			if got.err != nil || !strings.Contains(got.note, "the Docker engine has not told") {
				t.Errorf("reload: %+v", got)
			}
		}
	}
	if status, _ := r.get("/"); status != 503 {
		t.Errorf("what the configuration no longer asks for answers: %d", status)
	}
	source.views <- source.answering(backend(t, "two"))
	until(t, "the new one answers", func() bool { _, body := r.get("/"); return body == "two" })
}

// New endpoints prove themselves before the old ones are let go.
func TestAReloadWaitsUntilANewEndpointIsWell(t *testing.T) {
	var well atomic.Bool
	two := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !well.Load() {
			time.Sleep(time.Millisecond)
			w.WriteHeader(500)
		}
		fmt.Fprint(w, "two")
	}))
	t.Cleanup(two.Close)
	const health = "health: {path: /, interval: 20ms, unhealthy_after: 9}"
	source := newFakeSource()
	r := start(t, labelledAs(health, "app=x"), source)
	source.views <- source.answering(backend(t, "one"))
	until(t, "the container answers", func() bool { status, _ := r.get("/"); return status == 200 })
	r.write(labelledAs(health, "app=y"))
	done := r.reloading()
	r.awaitSelected(source, "app=y")
	source.views <- source.answering(two.Listener.Addr().String())
	r.answers("one")
	well.Store(true)
	if out := <-done; out != (outcome{}) {
		t.Errorf("reload: %+v", out)
	}
	r.answers("two")
}

// A reload that goes back before the other took effect leaves all as it was.
func TestAReloadIsTakenBack(t *testing.T) {
	source := newFakeSource()
	r := start(t, labelledAs("", "app=x"), source)
	source.views <- source.answering(backend(t, "one"))
	until(t, "the container answers", func() bool { status, _ := r.get("/"); return status == 200 })
	r.write(labelledAs("", "app=y"))
	first := r.reloading()
	r.awaitSelected(source, "app=y")
	r.write(labelledAs("", "app=x"))
	second := r.reloading()
	for _, done := range []<-chan outcome{first, second} {
		if out := <-done; out != (outcome{}) {
			t.Errorf("reload: %+v", out)
		}
	}
	r.answers("one")
	if got := route.Selectors(r.Table().Config); got[0].Labels[0].String() != "app=x" {
		t.Errorf("it looks for %v", got)
	}
}

// Reloads between two labels lose nothing, whatever the engine.
func TestReloadsBetweenLabelsLoseNothing(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			f := newFleet(t, engine, 2)
			for range 2 {
				f.start()
				c := f.alive[len(f.alive)-1]
				c.Labels["turn"] = fmt.Sprint(f.made % 2)
				f.fake.Set(c)
			}
			turn := func(n int) {
				f.write(strings.Replace(f.config(engine), "app=fleet", fmt.Sprintf("app=fleet, turn=%d", n%2), 1))
				if note, err := f.Reload(); note != "" || err != nil {
					t.Fatalf("%s %v", note, err)
				}
				f.await(1)
			}
			turn(0)
			stop := f.load(2)
			for n := range 50 {
				turn(n + 1)
			}
			if all, failed := stop(); all == 0 || failed > 0 {
				t.Errorf("%d of %d requests failed", failed, all)
			}
		})
	}
}
