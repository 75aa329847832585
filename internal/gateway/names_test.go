package gateway

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"rgate/internal/discovery"
)

// The very first request finds the endpoint that is given by name.
func TestEndpointsByName(t *testing.T) {
	_, port, err := net.SplitHostPort(backend(t, "named"))
	if err != nil {
		t.Fatal(err)
	}
	for _, engine := range []string{"loop", "standard"} {
		t.Run(engine, func(t *testing.T) {
			r := start(t, "engine: "+engine+"\n"+staticConfig("localhost:"+port), nil)
			if status, body := r.get("/"); status != 200 || body != "named" {
				t.Errorf("got %d %q", status, body)
			}
			r.write("engine: " + engine + "\n" + staticConfig("no-such-name.invalid:"+port))
			until(t, "the name that does not exist", func() bool { return len(r.Table().Backend("only").LeftOut) == 1 })
			if status, _ := r.get("/"); status != 503 {
				t.Errorf("no such name: got %d", status)
			}
		})
	}
}

// Each source has a view of its own: what one says leaves the other's alone.
func TestViewsAreKeptBySource(t *testing.T) {
	_, port, err := net.SplitHostPort(backend(t, "named"))
	if err != nil {
		t.Fatal(err)
	}
	source := newFakeSource()
	r := start(t, fmt.Sprintf("routes:\n  - {path_prefix: /, backend: both}\nbackends:\n  - {name: both, match_labels: [app=x], endpoints: [\"localhost:%s\"]}\n", port), source)
	names := func() (all []string) {
		for _, e := range r.Table().Endpoints() {
			all = append(all, strings.TrimSuffix(e.Name, port))
		}
		return all
	}
	until(t, "the name", func() bool { return strings.Join(names(), " ") == "localhost:" })
	if r.Ready() == nil {
		t.Error("ready though the other source has not answered")
	}
	source.views <- discovery.View{Source: "docker", Candidates: []discovery.Candidate{
		{Backend: "both", ID: strings.Repeat("c", 64), Name: "container", Address: "127.0.0.1:1", Weight: 1},
	}}
	until(t, "both", func() bool { return strings.Join(names(), " ") == "container localhost:" })
	until(t, "readiness", func() bool { return r.Ready() == nil })
}
