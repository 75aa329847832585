package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/route"
	"rgate/internal/stats"
)

const twoBackends = `routes:
  - {path_prefix: /a, backend: a}
  - {path_prefix: /b, backend: b, match: segment}
backends:
  - {name: a, endpoints: ["127.0.0.1:1"]}
  - {name: b, match_labels: [app=b]}
`

func table(t *testing.T, views ...discovery.View) func() *route.Table {
	t.Helper()
	cfg, err := config.Parse("my.yml", []byte(twoBackends), nil)
	if err != nil {
		t.Fatal(err)
	}
	built := route.Build(cfg, views, nil)
	return func() *route.Table { return built }
}

func ask(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestStatsMethods(t *testing.T) {
	h := NewStatistics(table(t))
	for _, method := range []string{"GET", "HEAD"} {
		w := ask(h, method, "/stats")
		if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if w := ask(h, method, "/stats"); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestStatsBy(t *testing.T) {
	h := NewStatistics(table(t))
	for target, want := range map[string]string{
		"/stats":             `"requests_count": {`,
		"/stats?by=route":    `"route": "/a"`,
		"/stats?by=backend":  `"backend": "b"`,
		"/stats?by=endpoint": `"address": "127.0.0.1:1"`,
	} {
		w := ask(h, "GET", target)
		if w.Code != 200 || !json.Valid(w.Body.Bytes()) || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d without %s: %s", target, w.Code, want, w.Body)
		}
	}
	if w := ask(h, "GET", "/stats?by=colour"); w.Code != 400 || !strings.Contains(w.Body.String(), "route, backend or endpoint") {
		t.Errorf("by=colour: %d %s", w.Code, w.Body)
	}
}

// An empty list is [] in JSON, not null, which programs trip over.
func TestEmptyListsAreLists(t *testing.T) {
	cfg, err := config.Parse("my.yml", []byte("default_response: {status_code: 404}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	built := route.Build(cfg, nil, nil)
	h := NewStatistics(func() *route.Table { return built })
	for _, by := range []string{"route", "backend", "endpoint"} {
		if got := strings.TrimSpace(ask(h, "GET", "/stats?by="+by).Body.String()); got != "[]" {
			t.Errorf("by=%s: %s", by, got)
		}
	}
}

func TestCounted(t *testing.T) {
	get := table(t)
	counters := get().Routes[0].Targets[0].Stats
	counters.Begin()
	counters.End(stats.Record{Status: 200})
	var all []RouteStats
	if err := json.Unmarshal(ask(NewStatistics(get), "GET", "/stats?by=route").Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Requests.Success != 1 || all[1].Requests.Success != 0 {
		t.Errorf("got %+v", all)
	}
}

func TestDescribe(t *testing.T) {
	get := table(t, discovery.View{Source: "docker", Stale: "the engine is away", Candidates: []discovery.Candidate{
		{Backend: "b", ID: "1", Name: "b-1", Address: "127.0.0.1:2", Note: "two networks", Weight: 1},
		{Backend: "b", ID: "2", Name: "b-2", Reason: "not running (exited)"},
	}})
	d := Describe(get())
	if d.Config != "my.yml" || d.Stale != "the engine is away" {
		t.Errorf("config %q, stale %q", d.Config, d.Stale)
	}
	if len(d.Routes) != 2 || d.Routes[1] != (RouteEntry{"/b", "/b", "segment", "b", 3}) {
		t.Errorf("routes %+v", d.Routes)
	}
	b := d.Backends[1]
	if len(b.Endpoints) != 1 || b.Endpoints[0].Note != "two networks" || b.Endpoints[0].Name != "b-1" {
		t.Errorf("endpoints %+v", b.Endpoints)
	}
	if len(b.LeftOut) != 1 || b.LeftOut[0] != (LeftOutEntry{"b-2", "not running (exited)"}) {
		t.Errorf("left out %+v", b.LeftOut)
	}
}

func TestHandler(t *testing.T) {
	var reloadFault, readyFault error
	var held []string
	get := table(t)
	h := Handler(Gateway{
		Table: get, Statistics: NewStatistics(get),
		Reload: func() (string, error) { return "", reloadFault }, Unlogged: func() (int64, int64) { return 4, 5 }, Rejected: func() int64 { return 3 },
		Ready: func() error { return readyFault },
		Drain: func(name string) (int, error) { held = append(held, "+"+name); return len(name) - 1, nil },
		Undo:  func(name string) (int, error) { held = append(held, "-"+name); return len(name) - 1, nil },
	})
	expect := func(method, target string, code int, text string) {
		t.Helper()
		if w := ask(h, method, target); w.Code != code || !strings.Contains(w.Body.String(), text) {
			t.Errorf("%s %s: %d %q instead of %d %q", method, target, w.Code, w.Body, code, text)
		}
	}
	expect("GET", "/stats", 200, "latency_ms")
	expect("GET", "/routes", 200, `"route": "/a"`)
	expect("GET", "/routes", 200, `"dropped": 4`)
	expect("GET", "/healthz", 200, "alive")
	expect("GET", "/readyz", 200, "ready")
	expect("POST", "/reload", 200, "reloaded")
	expect("GET", "/reload", 405, "")
	expect("GET", "/drain?container=ab", 405, "")
	expect("GET", "/nothing", 404, "")
	expect("POST", "/drain?container=ab", 200, `"endpoints": 1`)
	expect("POST", "/undrain?container=ab", 200, `"endpoints": 1`)
	expect("POST", "/drain?container=x", 404, "no endpoint is a container")
	expect("POST", "/drain", 404, "no endpoint is a container")
	if got := strings.Join(held, " "); got != "+ab -ab +x" {
		t.Errorf("held %s", got)
	}
	reloadFault, readyFault = errors.New("line 3 is wrong"), errors.New("draining")
	expect("POST", "/reload", 422, "line 3 is wrong")
	expect("GET", "/readyz", 503, "draining")
	expect("GET", "/healthz", 200, "alive")
}
