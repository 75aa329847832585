package route

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/stats"
	"rgate/internal/upstream"
)

func parse(t testing.TB, text string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("config.yml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// routes is a configuration with these prefixes, those behind a bar by segment.
func routes(prefixes ...string) *config.Config {
	cfg := config.Default()
	cfg.Backends = []config.Backend{{Name: "b", Endpoints: []string{"10.0.0.1:80"}, Traffic: cfg.Traffic}}
	for _, p := range prefixes {
		match := config.MatchLiteral
		if rest, ok := strings.CutPrefix(p, "|"); ok {
			p, match = rest, config.MatchSegment
		}
		cfg.Routes = append(cfg.Routes, config.Route{PathPrefix: p, Backend: "b", Match: match})
	}
	return cfg
}

func TestTheLongestPrefixWins(t *testing.T) {
	f := func(path, want string, prefixes ...string) {
		t.Helper()
		for _, order := range [][]string{prefixes, reversed(prefixes)} {
			got := ""
			if r := taker(Build(routes(order...), nil, nil), asked(path)); r != nil {
				got = r.Prefix
			}
			if got != want {
				t.Errorf("%q among %q: took %q, want %q", path, order, got, want)
			}
		}
	}
	f("/api/payments/7", "/api/payment", "/api", "/api/payment", "/api/pay/x", "/")
	f("/api/pay", "/api", "/api", "/api/payment", "/")
	f("/other", "/", "/api", "/")
	f("/other", "", "/api", "/apiary")
	f("/apiary", "/api", "/api")
	f("/apiary", "/", "|/api", "/")
	f("/api", "/api", "|/api", "/")
	f("/api/x", "/api", "|/api", "/")
	f("/api/x", "/api/", "|/api/", "/")
	f("/api/xy", "/a", "|/api/x", "/a")
}

// asked is a request for path.
func asked(path string) *Request { return &Request{Path: []byte(path)} }

func taker(t *Table, q *Request) *Route {
	r, _ := t.Match(q)
	return r
}

func reversed(all []string) []string {
	var out []string
	for i := range all {
		out = append(out, all[len(all)-1-i])
	}
	return out
}

// The tree agrees with looking at each route in turn.
func FuzzMatch(f *testing.F) {
	f.Add("/api|/api/x /a", "/api/xy")
	f.Add("|/a /ab /abc /", "/abd")
	f.Fuzz(func(t *testing.T, list, path string) {
		seen := map[string]bool{}
		var prefixes []string
		for _, p := range strings.Fields(list) {
			if bare := strings.TrimPrefix(p, "|"); !seen[bare] && bare != "" {
				seen[bare] = true
				prefixes = append(prefixes, p)
			}
		}
		table := Build(routes(prefixes...), nil, nil)
		var want *Route
		for _, r := range table.Routes {
			if strings.HasPrefix(path, r.Prefix) && r.takes([]byte(path)) && (want == nil || len(r.Prefix) > len(want.Prefix)) {
				want = r
			}
		}
		if got := taker(table, asked(path)); got != want {
			t.Fatalf("%q among %q: got %v, want %v", path, prefixes, got, want)
		}
	})
}

func TestMatchAllocatesNothing(t *testing.T) {
	table, q := Build(many(10_000), nil, nil), asked("/service-777/orders/7")
	if n := testing.AllocsPerRun(100, func() { table.Match(q) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func many(n int) *config.Config {
	var prefixes []string
	for i := range n {
		prefixes = append(prefixes, fmt.Sprintf("/service-%d", i))
	}
	return routes(prefixes...)
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{3, 10_000} {
		table := Build(many(n), nil, nil)
		q := asked("/service-2/orders/7")
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if taker(table, q) == nil {
					b.Fatal("no match")
				}
			}
		})
	}
}

const labelled = `
routes: [{path_prefix: /, backend: app}]
backends: [{name: app, match_labels: [app=x, tier], generation_label: gen, weight_label: w, network: n, port: 80}]
`

func found(id, address, generation string, created int64) discovery.Candidate {
	return discovery.Candidate{
		Backend: "app", ID: id, Name: id, Address: address, Weight: 1, Generation: generation,
		Created: time.Unix(created, 0), Started: time.Unix(created, 0),
	}
}

func TestSelectors(t *testing.T) {
	got := Selectors(parse(t, labelled+"  # and a static one\n"))
	if len(got) != 1 || got[0].Backend != "app" || len(got[0].Labels) != 2 || got[0].Labels[1].String() != "tier" ||
		got[0].GenerationLabel != "gen" || got[0].WeightLabel != "w" || got[0].Network != "n" || got[0].Port != 80 {
		t.Errorf("got %+v", got)
	}
	if got := Selectors(routes("/")); got != nil {
		t.Errorf("a static backend looks for %v", got)
	}
}

func TestUnchangedEndpointsAreLent(t *testing.T) {
	cfg := parse(t, labelled)
	view := func(all ...discovery.Candidate) []discovery.View {
		return []discovery.View{{Source: "docker", Candidates: all}}
	}
	a, b := found("a", "10.0.0.1:80", "", 1), found("b", "10.0.0.2:80", "", 1)
	first := Build(cfg, view(a, b), nil)
	restarted := b
	restarted.Started = time.Unix(2, 0)
	out := found("c", "", "", 1)
	out.Reason, out.Foreign = "paused", false
	noted := a
	noted.Note = "took the lowest port"
	second := Build(cfg, view(noted, restarted, out), first)
	if second.Endpoints()[0] != first.Endpoints()[0] {
		t.Error("an unchanged endpoint was made anew")
	}
	if second.Endpoints()[1] == first.Endpoints()[1] {
		t.Error("a container that restarted is another endpoint")
	}
	backend := second.Backend("app")
	if len(backend.LeftOut) != 1 || backend.LeftOut[0].Reason != "paused" {
		t.Errorf("left out: %v", backend.LeftOut)
	}
	if backend.Notes[second.Endpoints()[0]] != noted.Note {
		t.Error("the note is lost")
	}
	if second.Routes[0].Targets[0].Stats != first.Routes[0].Targets[0].Stats {
		t.Error("the route's counters were made anew")
	}
	stale := []discovery.View{{Stale: "away"}}
	if got := Build(cfg, stale, second).Stale(); got != "away" {
		t.Errorf("stale: %q", got)
	}
	if second.Stale() != "" {
		t.Error("fresh views are stale")
	}
}

// The newest generation takes everything; a rollback, made later, is newer.
func TestGenerationsByAge(t *testing.T) {
	view := []discovery.View{{Candidates: []discovery.Candidate{
		found("a1", "10.0.0.1:80", "blue", 1), found("b1", "10.0.0.2:80", "green", 5), found("a2", "10.0.0.3:80", "blue", 9),
	}}}
	b := Build(parse(t, labelled), view, nil).Backend("app")
	if len(b.Generations) != 2 || len(b.Generations[0]) != 2 || b.Generations[0][0].Name != "a1" {
		t.Fatalf("generations: %v", b.Generations)
	}
	for range 50 {
		e := b.Pick(0, nil, time.Now())
		if e.Name == "b1" {
			t.Fatal("the older generation took a request")
		}
		e.Release()
	}
}

func record(c *stats.Counters) {
	c.Begin()
	c.End(stats.Record{Status: 200, Duration: time.Millisecond})
}

// Totals never go down: not when routes or backends leave, nor by what was in
// flight on them.
func TestCountersOfWhatIsGone(t *testing.T) {
	first := Build(parse(t, `
routes: [{path_prefix: /a, backend: one}, {path_prefix: /b, backend: one}, {path_prefix: /c, backend: two}]
backends: [{name: one, endpoints: ["10.0.0.1:80"]}, {name: two, endpoints: ["10.0.0.2:80"]}]
`), nil, nil)
	for _, r := range first.Routes {
		record(r.Targets[0].Stats)
	}
	record(first.Unmatched)
	late := first.Routes[1].Targets[0].Stats
	late.Begin()
	second := Build(parse(t, "routes: [{path_prefix: /a, backend: one}]\nbackends: [{name: one, endpoints: [\"10.0.0.1:80\"]}]\n"), nil, first)
	check := func(table *Table, total, one uint64) {
		t.Helper()
		if got := table.Total(); got.Success() != total {
			t.Errorf("total %d, want %d", got.Success(), total)
		}
		if b := table.Backend("one"); b != nil && one > 0 {
			if got := table.BackendTotal(b); got.Success() != one {
				t.Errorf("backend %d, want %d", got.Success(), one)
			}
		}
	}
	check(second, 4, 2)
	late.End(stats.Record{Status: 200})
	check(second, 5, 3)
	record(late) // it had loaded the table before the swap
	check(second, 6, 4)
	third := Build(parse(t, "routes: [{path_prefix: /x, backend: new}]\nbackends: [{name: new, endpoints: [\"10.0.0.1:80\"]}]\n"), nil, second)
	check(third, 6, 0)
	record(late)
	check(third, 7, 0)
}

// What a store kept is there again, also of a route that the file has no more.
func TestCountersAreRestored(t *testing.T) {
	text := "routes: [{path_prefix: /a, backend: one}]\nbackends: [{name: one, endpoints: [\"10.0.0.1:80\"]}]\n"
	before := Build(parse(t, text), nil, nil)
	record(before.Routes[0].Targets[0].Stats)
	record(before.Unmatched)
	ledger := stats.NewLedger()
	if err := ledger.Restore(before.Ledger.Save()); err != nil {
		t.Fatal(err)
	}
	after := Build(parse(t, text), nil, Empty(ledger))
	record(after.Routes[0].Targets[0].Stats)
	if n := after.Routes[0].Targets[0].Stats.Snapshot().Success(); n != 2 {
		t.Errorf("the route counts %d, want 2", n)
	}
	if n := after.Total().Success(); n != 3 {
		t.Errorf("the total is %d, want 3", n)
	}
	other := Build(parse(t, "default_response: {status_code: 404}\n"), nil, after)
	if n := other.Total().Success(); n != 3 {
		t.Errorf("without the route the total is %d, want 3", n)
	}
}

// A start or healthy event ends an ejection: what it makes is another endpoint.
func TestRestartOrRecoveryEndsAnEjection(t *testing.T) {
	cfg := parse(t, labelled)
	view := func(all ...discovery.Candidate) []discovery.View {
		return []discovery.View{{Source: "docker", Candidates: all}}
	}
	a, b := found("a", "10.0.0.1:80", "", 1), found("b", "10.0.0.2:80", "", 1)
	restarted, sick := b, b
	restarted.Started = time.Unix(2, 0)
	sick.Reason, sick.Address = "unhealthy", ""
	for name, then := range map[string][][]discovery.View{
		"start": {view(a, restarted)}, "healthy": {view(a, sick), view(a, b)}, "no event": {view(a, b)},
	} {
		table := Build(cfg, view(a, b), nil)
		backend := table.Backend("app")
		for range 3 {
			backend.Observe(backend.Endpoints[1], upstream.ConnectFailed, 0, time.Now(), time.Now())
		}
		if backend.Endpoints[1].State() == "ready" {
			t.Fatal("it was not ejected")
		}
		for _, v := range then {
			table = Build(cfg, v, table)
		}
		if state := table.Endpoints()[1].State(); (state == "ready") != (name != "no event") {
			t.Errorf("after %s: %s", name, state)
		}
	}
}

func TestStickyTokens(t *testing.T) {
	eps := []*upstream.Endpoint{
		upstream.New(upstream.Identity{Backend: "b", Address: "10.0.0.1:80"}, "one", 1, false),
		upstream.New(upstream.Identity{Backend: "b", Address: "10.0.0.2:80"}, "two", 1, false),
	}
	if newSticky(config.Sticky{}, eps, nil) != nil {
		t.Error("sticky without a cookie")
	}
	made := newSticky(config.Sticky{Cookie: "c"}, eps, nil)
	next := newSticky(config.Sticky{Cookie: "c"}, eps, made)
	given := newSticky(config.Sticky{Cookie: "c", Secret: "0123456789abcdef"}, eps, nil)
	for _, e := range eps {
		v := made.Value(e)
		if made.Find([]byte(v)) != e || next.Value(e) != v || given.Value(e) == v || strings.Contains(v, "10.0.0") {
			t.Errorf("%s: token %q, then %q, with a secret %q", e.Name, v, next.Value(e), given.Value(e))
		}
	}
	if made.Value(eps[0]) == made.Value(eps[1]) || made.Find([]byte("guess")) != nil {
		t.Error("tokens do not tell endpoints apart")
	}
}

// A reload that turns health checking on neither stops traffic nor undoes an
// operator's drain.
func TestSettingsChangeUnderAnEndpoint(t *testing.T) {
	const text = "routes: [{path_prefix: /, backend: b}]\nbackends: [{name: b, endpoints: [\"10.0.0.1:80\", \"10.0.0.2:80\"]}]\n"
	first := Build(parse(t, text), nil, nil)
	first.Endpoints()[1].Hold()
	second := Build(parse(t, text+"health: {path: /healthz}\n"), nil, first)
	well, held := second.Endpoints()[0], second.Endpoints()[1]
	if !well.Checked() || well.State() != "ready" || !held.Held() {
		t.Errorf("states %q and %q", well.State(), held.State())
	}
}

// What is known of endpoints changes often, and policies do not with it.
func TestPoliciesOutliveAView(t *testing.T) {
	cfg := parse(t, `
consumers: [{name: shop}]
routes: [{path_prefix: /, backend: b, secure_headers: true}, {path_prefix: /x, respond: {}}]
backends: [{name: b, match_labels: [app=b]}]
`)
	first := Build(cfg, nil, nil)
	second := Build(cfg, []discovery.View{{}}, first)
	for i, r := range second.Routes {
		if r.Policies == nil || r.Policies != first.Routes[i].Policies {
			t.Errorf("%s has its policies anew", r.ID)
		}
	}
	again := *cfg // as a reload reads it
	if third := Build(&again, nil, second); third.Routes[0].Policies == second.Routes[0].Policies {
		t.Error("what a file says stays what an older one said")
	}
}
