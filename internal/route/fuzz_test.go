package route

import (
	"bytes"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"rgate/internal/config"
)

func TestNormalHost(t *testing.T) {
	long := strings.Repeat("a.", 126) + "a"
	for host, want := range map[string]string{
		"shop.example.com": "shop.example.com", "Shop.EXAMPLE.com.:8080": "shop.example.com", "h": "h", "h:": "h",
		"": "", ".": "", "..": "", ":80": "", ".example.com": "", "a..example": "", "a.example..": "",
		"192.0.2.7:80": "192.0.2.7", "[2001:DB8::1]:80": "[2001:db8::1]", "[0:0:0:0:0:0:0:1]": "[::1]", "[::ffff:192.0.2.7]": "[::ffff:192.0.2.7]",
		"[": "", "[]": "", "[::1": "", "[fe80::1%eth0]": "", "[192.0.2.7]": "",
		long: long, long + ".": long, long + "a": "",
	} {
		if got := NormalHost(nil, []byte(host)); string(got) != want {
			t.Errorf("%q is %q, want %q", host, got, want)
		}
	}
}

// What is normal stays so, and no two hosts that differ in more than port, case
// and final dot become one.
func FuzzNormalHost(f *testing.F) {
	for _, seed := range []string{"a.example", "A.Example.:80", "[::1]:80", "[::FFFF:1.2.3.4]", "a..b", ".", "[", "[]", "xn--a.b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, host []byte) {
		given := bytes.Clone(host)
		once := NormalHost(nil, host)
		if !bytes.Equal(given, host) {
			t.Fatalf("%q was changed to %q", given, host)
		}
		if once == nil {
			return
		}
		if twice := NormalHost(nil, once); !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q, and that %q", host, once, twice)
		}
		if len(once) > maxHost || once[0] != '[' && (bytes.ContainsAny(once, ":ABCXYZ") || bytes.HasPrefix(once, []byte(".")) || bytes.HasSuffix(once, []byte(".")) || bytes.Contains(once, []byte(".."))) {
			t.Fatalf("%q became %q", host, once)
		}
		if once[0] == '[' {
			inside, _, _ := strings.Cut(string(host[1:]), "]")
			if a, err := netip.ParseAddr(inside); err != nil || "["+a.String()+"]" != string(once) {
				t.Fatalf("%q became %q", host, once)
			}
			return
		}
		if plain, _, _ := strings.Cut(string(host), ":"); !strings.EqualFold(strings.TrimSuffix(plain, "."), string(once)) {
			t.Fatalf("%q became %q", host, once)
		}
	})
}

// What a file may name is what requests are compared with.
func FuzzHostsOfTheFile(f *testing.F) {
	for _, seed := range []string{"a.example", "*.A.example.", "bücher.example", "[::1]", "192.0.2.7", "a_b.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		text := fmt.Sprintf("backends: [{name: b, endpoints: ['10.0.0.1:80']}]\nroutes: [{backend: b, hosts: [%q]}]\n", host)
		cfg, err := config.Parse("config.yml", []byte(text), nil)
		if err != nil {
			return
		}
		named := cfg.Routes[0].Hosts[0]
		name, wild := strings.CutPrefix(named, "*.")
		if got := NormalHost(nil, []byte(name)); string(got) != name {
			t.Fatalf("%q became %q, which no request has: it would be %q", host, named, got)
		}
		if wild {
			name = "x." + name
		}
		if table := Build(cfg, nil, nil); len(name) <= maxHost && taker(table, ask("GET "+name+"/x")) == nil {
			t.Fatalf("%q does not take requests for %s", named, name)
		}
	})
}

// A parameter is found where net/url finds it, with its first value.
func FuzzParameter(f *testing.F) {
	f.Add("a=1&b=%32&a=3", "a", "1")
	f.Add("a+b=c%20d&&", "a b", "c d")
	f.Fuzz(func(t *testing.T, query, name, value string) {
		if strings.ContainsAny(query, ";") {
			return // net/url gives up
		}
		values, err := url.ParseQuery(query)
		if err != nil || name == "" {
			return // it drops what has a broken escape
		}
		asked := parameters{parameterNames: parametersOf([]config.Route{{Query: []config.Condition{{Name: "other"}, {Name: name}}}})}
		raw, found := asked.in([]byte("?"+query), name)
		if found != values.Has(name) || found && reads(raw, value) != (values.Get(name) == value) {
			t.Fatalf("%q of %q: %v, %q", name, query, found, raw)
		}
	})
}

// The choice agrees with holding each route in turn against the request.
func FuzzChoice(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, []byte{1, 2, 3, 4})
	f.Add([]byte("shop.example.com and others, whatever"), []byte("GET /"))
	f.Fuzz(func(t *testing.T, routes, request []byte) {
		cfg := routesOf(routes)
		if cfg == nil {
			return
		}
		table, q := Build(cfg, nil, nil), requestOf(request)
		got, others := table.Match(q)
		var want *Route
		var methods Methods
		for _, r := range table.Routes {
			fits, byMethod := plainly(r, q)
			switch {
			case !fits:
			case !byMethod:
				methods |= table.methods.set(r.Methods)
			case want == nil || before(r, want, string(q.Host)):
				want = r
			}
		}
		if want != nil {
			methods = 0
		}
		if got != want || others != methods {
			t.Fatalf("%s %s%s%s %v: got %v, %b; want %v, %b", q.Method, q.Host, q.Path, q.Query, q.Fields, got, others, want, methods)
		}
		for _, r := range table.Routes {
			why, near := table.Why(r, q)
			if fits, byMethod := plainly(r, q); (near == Taken) != (r == want) || (near >= Outranked) != (fits && byMethod) || (why == "") != (r == want) {
				t.Fatalf("%s: %q, %d", r.ID, why, near)
			}
		}
	})
}

// Few names, so that routes and requests meet.
var (
	someHosts  = []string{"", "a.x", "b.a.x", "x", "*.x", "*.a.x"}
	somePaths  = []string{"/", "/p", "/p/q", "/pq", "/p/"}
	someWords  = []string{"", "GET", "PUT", "PATCH"}
	someValues = []string{"", "true", "one", "two"}
)

// routesOf is a configuration of up to eight routes, or nil where it has ties.
func routesOf(data []byte) *config.Config {
	text := "backends: [{name: b, endpoints: ['10.0.0.1:80']}]\nroutes:\n"
	for i := 0; i+5 < len(data) && i < 48; i += 6 {
		text += "  - {backend: b, path_prefix: " + somePaths[int(data[i])%len(somePaths)]
		if data[i+1]&1 == 1 {
			text += ", match: segment"
		}
		if h := someHosts[int(data[i+2])%len(someHosts)]; h != "" {
			text += ", hosts: ['" + h + "']"
		}
		if m := someWords[int(data[i+3])%len(someWords)]; m != "" {
			text += ", methods: [" + m + "]"
		}
		for at, key := range []string{"headers", "query"} {
			if v := someValues[int(data[i+4+at])%len(someValues)]; v != "" {
				text += ", " + key + ": {N: " + v + "}"
			}
		}
		text += "}\n"
	}
	cfg, err := config.Parse("config.yml", []byte(text), nil)
	if err != nil {
		return nil
	}
	return cfg
}

func requestOf(data []byte) *Request {
	pick := func(i int, from ...string) string {
		if i >= len(data) {
			return from[0]
		}
		return from[int(data[i])%len(from)]
	}
	return ask(pick(0, "GET", "PUT", "POST") + " " + pick(1, "", "x", "a.x", "b.a.x", "c.x", "d.b.a.x", "y") +
		pick(2, "/", "/p", "/p/q", "/pq", "/p/q/r", "/z") + pick(3, "", "?N", "?N=one", "?N=two&N=one") + pick(4, "", " N=one", " N=two", " N="))
}

// plainly holds one route against a request, by its configuration's words.
func plainly(r *Route, q *Request) (fits, byMethod bool) {
	host, path, values := string(q.Host), string(q.Path), url.Values{}
	if len(q.Query) > 0 {
		values, _ = url.ParseQuery(string(q.Query[1:]))
	}
	_, fits = hostOf(r, host)
	fits = fits && strings.HasPrefix(path, r.Prefix)
	if rest := strings.TrimPrefix(path, r.Prefix); r.Match == config.MatchSegment && rest != "" && rest[0] != '/' && !strings.HasSuffix(r.Prefix, "/") {
		fits = false
	}
	for _, c := range r.conditions {
		given := map[bool][]string{true: values[c.Name], false: q.Fields.(head)[c.Name]}[c.query]
		fits = fits && len(given) > 0 && (c.AnyValue || given[0] == c.Value)
	}
	byMethod = len(r.Methods) == 0
	for _, m := range r.Methods {
		byMethod = byMethod || m == string(q.Method)
	}
	return fits, byMethod
}

// hostOf is how specific the host of r is that takes host.
func hostOf(r *Route, host string) (rank int, ok bool) {
	if len(r.Hosts) == 0 {
		return 0, true
	}
	if rest, wild := strings.CutPrefix(r.Hosts[0], "*"); wild {
		return len(rest), len(host) > len(rest) && strings.HasSuffix(host, rest)
	}
	return 1000, r.Hosts[0] == host
}

// before tells whether a comes before b, both of which take a request for host.
func before(a, b *Route, host string) bool {
	hostA, _ := hostOf(a, host)
	hostB, _ := hostOf(b, host)
	if hostA != hostB {
		return hostA > hostB
	}
	if len(a.Prefix) != len(b.Prefix) {
		return len(a.Prefix) > len(b.Prefix)
	}
	return a.asks > b.asks
}
