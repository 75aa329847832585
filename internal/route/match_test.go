package route

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rgate/internal/config"
)

// head is a request's fields for tests.
type head http.Header

func (h head) Has(name string) bool { return len(h[name]) > 0 }

func (h head) Is(name, value string) bool {
	return h.Has(name) && strings.Join(h[name], ", ") == value
}

// ask reads a request such as "GET shop.example.com/api?x=1 X-Channel=beta";
// its path is taken to be normal.
func ask(text string) *Request {
	words := strings.Fields(text)
	target, query, found := strings.Cut(words[1], "?")
	at := strings.IndexByte(target, '/')
	q := &Request{Method: []byte(words[0]), Host: []byte(target[:at]), Path: []byte(target[at:])}
	if found {
		q.Query = []byte("?" + query)
	}
	fields := head{}
	for _, word := range words[2:] {
		name, value, _ := strings.Cut(word, "=")
		fields[name] = append(fields[name], value)
	}
	q.Fields = fields
	return q
}

// tableOf compiles routes that all lead to one backend.
func tableOf(t testing.TB, routes ...string) *Table {
	t.Helper()
	text := "backends: [{name: b, endpoints: ['10.0.0.1:80']}]\nroutes:\n"
	for _, r := range routes {
		text += "  - {backend: b, " + r + "}\n"
	}
	return Build(parse(t, text), nil, nil)
}

// What takes a request does not depend on the order of the file.
func TestTheMostSpecificRouteWins(t *testing.T) {
	routes := []string{
		"path_prefix: /",
		"path_prefix: /api",
		"path_prefix: /api/pay, match: segment",
		"path_prefix: /api, methods: [PUT]",
		"hosts: [shop.example.com]",
		"hosts: [shop.example.com], path_prefix: /api, methods: [GET, POST]",
		"hosts: [shop.example.com], path_prefix: /api, methods: [GET], headers: {X-Channel: beta}",
		"hosts: [shop.example.com], path_prefix: /api, methods: [GET], headers: {X-Channel: beta}, query: {debug: true}",
		"hosts: ['*.example.com']",
		"hosts: ['*.shop.example.com', bücher.example], path_prefix: /only",
		"hosts: ['[2001:db8::1]', 192.0.2.7], path_prefix: /ip",
	}
	f := func(request, want string) {
		t.Helper()
		for _, order := range [][]string{routes, reversed(routes)} {
			got := ""
			if r := taker(tableOf(t, order...), ask(request)); r != nil {
				got = r.ID
			}
			if got != want {
				t.Errorf("%s: taken by %q, want %q", request, got, want)
			}
		}
	}
	f("GET other.example/x", "/")
	f("GET /x", "/")
	f("GET other.example/api/pay/7", "/api/pay")
	f("PUT other.example/api/pays", "/api [PUT]")
	f("PUT other.example/api/pay", "/api/pay")
	f("GET shop.example.com/x", "shop.example.com/")
	f("GET SHOP.Example.com.:8080/x", "shop.example.com/")
	f("GET shop.example.com/api", "shop.example.com/api [GET,POST]")
	f("PUT shop.example.com/api", "shop.example.com/") // not /api [PUT], which is for every host
	f("GET shop.example.com/api?debug X-Channel=beta", "shop.example.com/api [GET] X-Channel=beta ?debug")
	f("GET shop.example.com/api?debugs X-Channel=beta", "shop.example.com/api [GET] X-Channel=beta")
	f("GET shop.example.com/api?debug X-Channel=stable", "shop.example.com/api [GET,POST]")
	f("GET example.com/x", "/")
	f("GET a.example.com/x", "*.example.com/")
	f("GET a.b.c.example.com/x", "*.example.com/")
	f("GET a.shop.example.com/only", "*.shop.example.com,xn--bcher-kva.example/only")
	f("GET a.b.shop.example.com/only/x", "*.shop.example.com,xn--bcher-kva.example/only")
	f("GET a.shop.example.com/x", "*.example.com/") // the longer wildcard has nothing for it
	f("GET .example.com/x", "/")
	f("GET a..example.com/x", "/")
	f("GET notexample.com/x", "/")
	f("GET xn--bcher-kva.example/only", "*.shop.example.com,xn--bcher-kva.example/only")
	f("GET 192.0.2.7:80/ip", "192.0.2.7,[2001:db8::1]/ip")
	f("GET [2001:DB8:0:0::1]:80/ip", "192.0.2.7,[2001:db8::1]/ip")
}

func TestWhatOtherMethodsWouldDo(t *testing.T) {
	table := tableOf(t,
		"path_prefix: /a, methods: [PUT, GET]",
		"path_prefix: /a/b, methods: [DELETE]",
		"path_prefix: /a/b, methods: [PATCH], headers: {X-A: b}",
		"path_prefix: /, hosts: [h.example], methods: [POST]",
		"path_prefix: /a/seg, match: segment, methods: [TRACE]",
	)
	f := func(request string, want ...string) {
		t.Helper()
		r, others := table.Match(ask(request))
		if got := table.MethodNames(others); r != nil || !slices.Equal(got, want) {
			t.Errorf("%s: taken by %v, else by %q, want %q", request, r, got, want)
		}
	}
	f("POST /a", "GET", "PUT")
	f("POST /a/b", "DELETE", "GET", "PUT")
	f("POST /a/b X-A=b", "DELETE", "GET", "PATCH", "PUT")
	f("HEAD h.example/a", "GET", "POST", "PUT")
	f("HEAD h.example/x", "POST")
	f("POST /a/segment", "GET", "PUT")
	f("POST /x")
	f("get /a", "GET", "PUT")
	if r, others := table.Match(ask("GET /a/b")); r == nil || others != 0 {
		t.Errorf("taken by %v, with others %b", r, others)
	}
}

// The first parameter of a name counts, decoded; of a header all its values
// together.
func TestConditions(t *testing.T) {
	table := tableOf(t,
		"path_prefix: /q, query: {debug: '1'}", "path_prefix: /e, query: {debug: ''}", "path_prefix: /t, query: {'a b': true}",
		"path_prefix: /u, query: {name: 'Zoë & 100%'}", "path_prefix: /h, headers: {x-channel: 'beta, rc'}", "path_prefix: /p, headers: {X-Debug: true}",
	)
	f := func(request string, want bool) {
		t.Helper()
		if got := taker(table, ask(request)) != nil; got != want {
			t.Errorf("%s: taken %v, want %v", request, got, want)
		}
	}
	for query, want := range map[string]bool{
		"?debug=1": true, "?a&debug=1&b": true, "?debug=%31": true, "?%64ebug=1": true, "?debug=1&debug=2": true,
		"?debug=2&debug=1": false, "?debug": false, "?debug=": false, "?Debug=1": false, "?debug=1;x": false, "?debug=1=": false,
		"?x=debug=1": false, "?debug=01": false, "": false, "?": false, "?&&debug=1": true, "?debug=1#": false, "?debug=+1": false,
	} {
		f("GET /q"+query, want)
	}
	f("GET /e?debug", true)
	f("GET /e?debug=", true)
	f("GET /e?", false)
	f("GET /e?=&", false)
	f("GET /t?a+b", true)
	f("GET /t?a%20b=x", true)
	f("GET /t?a%2bb=x", false)
	f("GET /u?name=Zo%C3%AB+%26+100%", true)
	f("GET /u?name=Zo%c3%ab%20%26%20100%25", true)
	f("GET /u?name=Zo%C3%AB+&+100%", false)
	f("GET /h X-Channel=beta X-Channel=rc", true)
	f("GET /h X-Channel=rc X-Channel=beta", false)
	f("GET /h X-Channel=beta", false)
	f("GET /p X-Debug=", true)
	f("GET /p X-Debugs=1", false)
	if r := taker(table, &Request{Path: []byte("/p")}); r != nil {
		t.Error("a header is found where there are none")
	}
}

func TestNamesTellRoutesApart(t *testing.T) {
	routes := []string{
		"path_prefix: /a", "hosts: [h.example], path_prefix: /a", "hosts: ['*.h.example'], path_prefix: /a",
		"path_prefix: /a, methods: [GET]", "path_prefix: /a, methods: [POST], headers: {X-A: 'b c'}", "path_prefix: /a, methods: [PUT], headers: {X-A: true}",
		"path_prefix: /a, methods: [HEAD], headers: {X-A: ''}", "path_prefix: /a, methods: [DELETE], query: {x: 'b c'}", "path_prefix: /a, methods: [PATCH], query: {x: true}",
		"path_prefix: /a, hosts: [a.example, b.example, c.example, d.example, e.example]",
		"path_prefix: /a, hosts: [f.example, g.example, i.example, j.example, k.example]",
	}
	var got []string
	for _, r := range tableOf(t, routes...).Routes {
		got = append(got, r.ID)
	}
	want := []string{
		"/a", "h.example/a", "*.h.example/a", "/a [GET]", `/a [POST] X-A="b c"`, "/a [PUT] X-A", `/a [HEAD] X-A=""`, "/a [DELETE] ?x=b+c", "/a [PATCH] ?x",
		"a.example,b.example,c.example,and-2-more-09dca3f3/a", "f.example,g.example,i.example,and-2-more-be0b3d4a/a",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	one := tableOf(t, "path_prefix: /a, hosts: [b.example, a.example], methods: [PUT, GET]").Routes[0].ID
	if other := tableOf(t, "path_prefix: /a, hosts: [a.example, B.Example.], methods: [GET, PUT]").Routes[0].ID; one != other {
		t.Errorf("the order in the file makes %q of %q", other, one)
	}
}

// Counters are a route's for as long as it asks for the same.
func TestCountersOfRoutesThatAskForMore(t *testing.T) {
	text := "backends: [{name: b, endpoints: ['10.0.0.1:80']}]\nroutes: [{hosts: [a.example, b.example], methods: [GET], backend: b}%s]\n"
	first := Build(parse(t, fmt.Sprintf(text, "")), nil, nil)
	record(first.Routes[0].Targets[0].Stats)
	second := Build(parse(t, fmt.Sprintf(text, ", {hosts: [a.example], backend: b}")), nil, first)
	for i, want := range []uint64{1, 0} {
		if n := second.Routes[i].Targets[0].Stats.Snapshot().Success(); n != want {
			t.Errorf("route %s counts %d, want %d", second.Routes[i].ID, n, want)
		}
	}
}

// crowd is a configuration of n hosts with ten routes each.
func crowd(n int) *config.Config {
	cfg := config.Default()
	cfg.Backends = []config.Backend{{Name: "b", Endpoints: []string{"10.0.0.1:80"}, Traffic: cfg.Traffic}}
	for i := range n {
		hosts := []string{fmt.Sprintf("shop-%d.example.com", i)}
		for j := range 10 {
			cfg.Routes = append(cfg.Routes, config.Route{Hosts: hosts, PathPrefix: fmt.Sprintf("/service-%d", j), Backend: "b", Match: config.MatchLiteral})
		}
	}
	return cfg
}

func TestMatchByHostAllocatesNothing(t *testing.T) {
	asking := tableOf(t, "path_prefix: /, hosts: ['*.example.com'], headers: {X-A: true}, query: {a: b}", "path_prefix: /, methods: [PUT]")
	for table, q := range map[*Table]*Request{
		Build(crowd(1000), nil, nil):   ask("GET SHOP-777.example.com:80/service-2/x"),
		asking:                         ask("GET a.b.c.example.com/x?c&a=%62 X-A=1"),
		tableOf(t, "hosts: ['[::1]']"): ask("GET [::1]:80/x"),
	} {
		if taker(table, q) == nil {
			t.Fatalf("nothing takes %s%s", q.Host, q.Path)
		}
		if n := testing.AllocsPerRun(100, func() { table.Match(q) }); n != 0 {
			t.Errorf("%s%s: %v allocations", q.Host, q.Path, n)
		}
	}
	q := ask("GET a.example.com/x")
	if n := testing.AllocsPerRun(100, func() { asking.Match(q) }); n != 0 {
		t.Errorf("what no route takes: %v allocations", n)
	}
}

// A request costs the same, however many hosts there are: the bound is for
// caches that are too small for ten thousand.
func TestManyHostsCostARequestNoMore(t *testing.T) {
	few, many := Build(crowd(1), nil, nil), Build(crowd(10_000), nil, nil)
	q := ask("GET shop-0.example.com/service-2/orders/7")
	if a, b := cost(few, q, 2000), cost(many, q, 2000); b > 5*a {
		t.Errorf("2,000 requests take %v among ten routes and %v among a hundred thousand", a, b)
	}
}

// Nor does a long query cost more for each route that asks for a parameter.
func TestALongQueryIsReadOnce(t *testing.T) {
	tables := map[int]*Table{}
	for _, n := range []int{1, 200} {
		var routes []string
		for i := range n {
			routes = append(routes, fmt.Sprintf("path_prefix: /, query: {version: '%d', p%d: beta}", i, i%31))
		}
		tables[n] = tableOf(t, routes...)
	}
	q := ask("GET /?" + strings.Repeat("a&", 10_000) + "p0=beta&version=none")
	if a, b := cost(tables[1], q, 5), cost(tables[200], q, 5); b > 20*a {
		t.Errorf("five requests take %v of one route and %v of two hundred", a, b)
	}
}

// cost is the least that n requests took.
func cost(table *Table, q *Request, n int) time.Duration {
	best := time.Hour
	for range 20 {
		begun := time.Now()
		for range n {
			table.Match(q)
		}
		best = min(best, time.Since(begun))
	}
	return best
}

func BenchmarkMatchByHost(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		table := Build(crowd(n), nil, nil)
		hosts := make([]*Request, min(n, 256))
		for i := range hosts {
			hosts[i] = ask(fmt.Sprintf("GET shop-%d.example.com/service-2/orders/7", rand.IntN(n)))
		}
		b.Run(fmt.Sprintf("%d hosts", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if taker(table, hosts[i%len(hosts)]) == nil {
					b.Fatal("no match")
				}
			}
		})
	}
}

// BenchmarkBuild compiles ten thousand hosts with ten routes each, for the first
// time and as a reload does; and reads them, too, from a file that names the
// hosts once.
func BenchmarkBuild(b *testing.B) {
	cfg := crowd(10_000)
	b.Run("first", func(b *testing.B) {
		defer cpuTime(b)()
		for b.Loop() {
			Build(cfg, nil, nil)
		}
	})
	b.Run("reload", func(b *testing.B) {
		prev, other := Build(cfg, nil, nil), *cfg
		defer cpuTime(b)()
		for b.Loop() {
			Build(&other, nil, prev)
		}
	})
	b.Run("file", func(b *testing.B) {
		text := "backends: [{name: b, endpoints: ['10.0.0.1:80']}]\nroutes:\n"
		for i := range 10 {
			hosts := "*all"
			if i == 0 {
				hosts = "&all [shop-0.example.com"
				for j := 1; j < 10_000; j++ {
					hosts += fmt.Sprintf(", shop-%d.example.com", j)
				}
				hosts += "]"
			}
			text += fmt.Sprintf("- {path_prefix: /service-%d, backend: b, hosts: %s}\n", i, hosts)
		}
		defer cpuTime(b)()
		for b.Loop() {
			Build(parse(b, text), nil, nil)
		}
	})
}

// cpuTime has b report what its operations took of the processors, which says
// more than the clock on a machine that is shared.
func cpuTime(b *testing.B) (report func()) {
	used := func() (all time.Duration) {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Milliseconds())/float64(b.N), "cpu-ms/op") }
}
