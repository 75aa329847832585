package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"rgate/internal/admin"
	"rgate/internal/enginetest"
)

const fixed = `stats: {path: /_stats}
default_response: {status_code: 403}
routes:
  - {path_prefix: /api, backend: one}
  - {path_prefix: /api/pay, backend: two, match: segment}
  - {path_prefix: /other, backend: one}
backends:
  - {name: one, endpoints: ["127.0.0.1:9"]}
  - {name: two, endpoints: ["127.0.0.1:7", "127.0.0.1:8"]}
`

func TestExplain(t *testing.T) {
	path := file(t, fixed)
	for _, c := range []struct {
		args  string
		texts []string
	}{
		{"/api/orders", []string{"GET /api/orders\n", "route    /api (the longest prefix", "backend  one", "goes to 127.0.0.1:9", "listed under endpoints in the file", "/other    the path does not begin with it"}},
		{"post http://h:1/api/pay/7?x=/other#y", []string{"POST /api/pay/7\n", "backend  two", "goes to one of 2 endpoints (balance: ", "/api    shorter than /api/pay"}},
		{"/api/payment", []string{"backend  one", "/api/pay  match: segment, and the path goes on within the segment"}},
		{"/nobody", []string{"outcome  403: no route takes it, so default_response answers", "/api      the path does not begin with it"}},
		{"http://h", []string{"GET /\n", "403: no route takes it"}},
		{"http://h?x=/api", []string{"GET /\n"}},
		{"/_stats", []string{"the statistics page answers, before any route"}},
		{"/x/../api/./orders", []string{"GET /api/orders\n", "backend  one"}},
		{"/../api", []string{"GET /../api\n", "outcome  400: the path climbs above /"}},
		{"/api/a%2f..%2fb", []string{"outcome  400: the path hides dot segments behind encoding"}},
		{"/api/%zz", []string{"GET /api/%zz\n", "outcome  400: "}},
	} {
		t.Run(c.args, func(t *testing.T) {
			rgate(t, append([]string{"explain", "-c", path}, strings.Fields(c.args)...)...).want(t, 0, c.texts...)
		})
	}
	for target, want := range map[string]string{"api": "neither a URL nor a path", "http://[x/": "is no URL"} {
		rgate(t, "explain", "-c", path, target).want(t, 2, want)
	}
}

func TestExplainJSON(t *testing.T) {
	a := rgate(t, "explain", "--json", "-c", file(t, fixed), "/api/x")
	a.want(t, 0)
	var e explanation
	if err := json.Unmarshal([]byte(a.stdout), &e); err != nil {
		t.Fatal(err)
	}
	if e.Method != "GET" || e.Path != "/api/x" || e.Route != "/api" || e.Backend != "one" || len(e.Lost) != 2 || len(e.Containers) != 1 || !e.Containers[0].Taken {
		t.Errorf("got %+v", e)
	}
	a = rgate(t, "explain", "--json", "-c", file(t, fixed), "/_stats")
	a.want(t, 0, `"lost": []`, `"containers": []`)
}

func TestExplainCutsLongLists(t *testing.T) {
	text := "backends: [{name: a, endpoints: ['h:1']}]\nroutes:\n  - {path_prefix: /, backend: a}\n"
	for i := range 30 {
		text += fmt.Sprintf("  - {path_prefix: /r%d, backend: a}\n", i)
	}
	a := rgate(t, "explain", "-c", file(t, text), "/x")
	a.want(t, 0, "/r19", "and 10 more")
	if strings.Contains(a.stdout, "/r20") {
		t.Error("more than 20 losing routes")
	}
}

func TestRoutesOfAFile(t *testing.T) {
	path := file(t, fixed)
	rgate(t, "routes", "-c", path).want(t, 0, "compiled from "+path, "/api/pay  segment  two", "one      127.0.0.1:9")
	a := rgate(t, "routes", "--json", "-c", path)
	var d admin.Routes
	if err := json.Unmarshal([]byte(a.stdout), &d); err != nil || len(d.Routes) != 3 || len(d.Backends) != 2 {
		t.Errorf("%v, %+v", err, a)
	}
	rgate(t, "routes", "-c", file(t, wrong)).want(t, 2, "unknown key `paht`")
}

// What cannot be asked is said, and the rest is shown all the same.
func TestWithoutAnEngine(t *testing.T) {
	text := "docker: {host: 'unix:///nonexistent/docker.sock'}\nroutes: [{path_prefix: /, backend: app}]\nbackends: [{name: app, match_labels: [app=x]}]\n"
	path := file(t, text)
	rgate(t, "explain", "-c", path, "/x").want(t, 0, "503: no endpoint of the backend can take it", "not all is known of the endpoints: ", "/nonexistent/docker.sock")
	rgate(t, "routes", "-c", path).want(t, 0, "not all is known of the endpoints: ", "app      -", "no endpoint: requests get 503")
}

func TestOnTheEngine(t *testing.T) {
	engine := enginetest.Machine(t)
	image := engine.Build(t, enginetest.Image{})
	app := enginetest.Unique()
	labels := map[string]string{"rgate.cli": app, "rgate.cli.env": "production"}
	taken := engine.Run(t, enginetest.RunOptions{Image: image, Labels: labels})
	stopped := engine.Run(t, enginetest.RunOptions{Image: image, Labels: labels, Created: true})
	staging := engine.Run(t, enginetest.RunOptions{Image: image, Labels: map[string]string{"rgate.cli": app, "rgate.cli.env": "staging"}})
	address := taken.IP("bridge") + ":8080"
	path := file(t, fmt.Sprintf("docker: {host: '%s'}\nroutes: [{path_prefix: /, backend: app}]\nbackends: [{name: app, match_labels: [rgate.cli=%s, rgate.cli.env=production]}]\n", engine.Host, app))

	a := rgate(t, "explain", "--json", "-c", path, "/x")
	a.want(t, 0)
	var e explanation
	if err := json.Unmarshal([]byte(a.stdout), &e); err != nil {
		t.Fatal(err)
	}
	found := map[string]lookedAt{}
	for _, c := range e.Containers {
		found[c.Name] = c
	}
	if c := found[taken.Name]; !c.Taken || c.Address != address || e.Outcome != "goes to "+address {
		t.Errorf("the labelled one: %+v, outcome %s", c, e.Outcome)
	}
	if c := found[staging.Name]; c.Taken || c.Why != "missing label rgate.cli.env=production (has rgate.cli.env=staging)" {
		t.Errorf("the one with another label: %+v", c)
	}
	if c := found[stopped.Name]; c.Taken || !strings.HasPrefix(c.Why, "not running") {
		t.Errorf("the stopped one: %+v", c)
	}
	rgate(t, "explain", "-c", path, "/x").want(t, 0, "looked at:", taken.Name, "carries all labels and accepts connections", "left out")
	a = rgate(t, "routes", "-c", path)
	a.want(t, 0, address, "ready", "left out: not running (created)")
	if strings.Contains(a.stdout, staging.Name) {
		t.Error("routes shows a container that is none of the backend's")
	}
}
