package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const toB = "\nbackends: [{name: b, match_labels: [x]}]\n"

func routesOf(t *testing.T, text string) []Route {
	t.Helper()
	cfg, err := Parse("config.yml", []byte(text), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Routes
}

func TestWhatRoutesAskFor(t *testing.T) {
	got := routesOf(t, `routes:
  - {hosts: [Shop.Example.COM., "*.ünder_score.example", 192.0.2.7, "[2001:DB8:0::7]", "${WORD}.example", faß.de], backend: b}
  - path_prefix: /api
    match: segment
    backend: b
    methods: [POST, M-SEARCH]
    headers: {x-version: 2, X-AGENT: "true", x-debug: true, Accept: "${WORD}"}
    query: {V: 1.0, "a b": true}
`+toB)
	want := []Route{
		{
			Hosts:      []string{"shop.example.com", "*.xn--nder_score-8db.example", "192.0.2.7", "[2001:db8::7]", "many.example", "xn--fa-hia.de"},
			PathPrefix: "/", Backend: "b", Match: MatchLiteral,
		},
		{
			PathPrefix: "/api", Backend: "b", Match: MatchSegment, Methods: []string{"POST", "M-SEARCH"},
			Headers: []Condition{{Name: "Accept", Value: "many"}, {Name: "X-Agent", Value: "true"}, {Name: "X-Debug", AnyValue: true}, {Name: "X-Version", Value: "2"}},
			Query:   []Condition{{Name: "V", Value: "1.0"}, {Name: "a b", AnyValue: true}},
		},
	}
	if diff := cmp.Diff(want, got, ignorePlaces); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// These are alike in host and prefix, and yet one of them comes first, or none
// could take what the other does.
func TestRoutesThatAreNoTies(t *testing.T) {
	for _, pair := range []string{
		"hosts: [a.example]|path_prefix: /",
		"hosts: [a.example]|hosts: ['*.example']",
		"hosts: ['*.a.example']|hosts: ['*.example']",
		"path_prefix: /|path_prefix: /, methods: [GET]",
		"path_prefix: /, methods: [GET]|path_prefix: /, methods: [PUT]",
		"path_prefix: /, headers: {A: b}|path_prefix: /, headers: {a: c}",
		"path_prefix: /, headers: {A: b, C: d}|path_prefix: /, headers: {B: b, C: e}",
		"path_prefix: /, query: {A: b}|path_prefix: /, query: {A: c}",
		"path_prefix: /, query: {A: b}|path_prefix: /, query: {A: b, a: c}",
	} {
		a, b, _ := strings.Cut(pair, "|")
		for _, routes := range [][]string{{a, b}, {b, a}} {
			routesOf(t, "routes: [{backend: b, "+strings.Join(routes, "}, {backend: b, ")+"}]"+toB)
		}
	}
	for _, pair := range []string{
		"path_prefix: /, query: {A: b}|path_prefix: /, query: {a: c}",
		"path_prefix: /, query: {A: b}|path_prefix: /, headers: {A: c}",
		"path_prefix: /, query: {A: b}|path_prefix: /, query: {A: true}",
	} {
		a, b, _ := strings.Cut(pair, "|")
		mustFail(t, []byte("routes: [{backend: b, "+a+"}, {backend: b, "+b+"}]"+toB))
	}
}

// What a file can have of routes is bounded.
func TestAsManyRoutesAsThereCanBe(t *testing.T) {
	var b strings.Builder
	b.WriteString("routes:\n")
	for i := range maxAlike {
		fmt.Fprintf(&b, "- {hosts: %s, headers: {X: v%d}, backend: b}\n", aliasTo(i, maxHosts/maxAlike), i)
	}
	if got := routesOf(t, b.String()+toB); len(got) != maxAlike {
		t.Errorf("got %d routes", len(got))
	}
	first := func(text string) string { return mustFail(t, []byte(text))[0].String() }
	if got, want := first(b.String()+"- {hosts: [h0.example], headers: {X: w}, backend: b}"+toB), "config.yml:202:3: with this one the routes have more than 100000 hosts"; !strings.HasPrefix(got, want) {
		t.Errorf("got %s", got)
	}
	text := "routes:\n"
	for i := range maxAlike + 1 {
		text += fmt.Sprintf("- {path_prefix: /, headers: {X: v%d}, backend: b}\n", i)
	}
	if got, want := first(text+toB), "config.yml:202:3: more than 200 routes have the same host and the prefix `/`"; !strings.HasPrefix(got, want) {
		t.Errorf("got %s", got)
	}
	text = "routes: [{path_prefix: /, methods: [M" + strings.Join(numbers(maxMethods+1), ", M") + "], backend: b}]"
	if got, want := first(text+toB), "config.yml:1:10: more than 64 different methods are in use"; !strings.HasPrefix(got, want) {
		t.Errorf("got %s", got)
	}
	text = "routes: [{path_prefix: /, query: {p" + strings.Join(numbers(MaxParameters+1), ": a, p") + ": a}, backend: b}]"
	if got, want := first(text+toB), "config.yml:1:10: the routes ask for more than 32 different query parameters"; !strings.HasPrefix(got, want) {
		t.Errorf("got %s", got)
	}
}

// aliasTo is a list of hosts, written out once.
func aliasTo(i, n int) string {
	if i > 0 {
		return "*all"
	}
	return "&all [h" + strings.Join(numbers(n), ".example, h") + ".example]"
}

func numbers(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return slices.Clip(all)
}
