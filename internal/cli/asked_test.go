package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const choosy = `routes:
  - {path_prefix: /, backend: any}
  - {path_prefix: /api, match: segment, backend: any}
  - {hosts: [shop.example.com], backend: shop}
  - {hosts: ["*.example.com", bücher.example], path_prefix: /, backend: shop}
  - {hosts: [shop.example.com], path_prefix: /api, methods: [GET, POST], backend: api}
  - {hosts: [shop.example.com], path_prefix: /api, methods: [GET], headers: {X-Channel: beta}, backend: next}
  - {hosts: [shop.example.com], path_prefix: /api, headers: {X-Debug: true}, query: {"a b": "1", c: true}, backend: next}
  - {hosts: [only.test], methods: [PUT, GET], backend: api}
backends:
  - {name: any, endpoints: ["127.0.0.1:9"]}
  - {name: shop, endpoints: ["127.0.0.1:8"]}
  - {name: api, endpoints: ["127.0.0.1:7"]}
  - {name: next, endpoints: ["127.0.0.1:6"]}
`

const (
	readAPI  = "shop.example.com/api [GET,POST]"
	betaAPI  = "shop.example.com/api [GET] X-Channel=beta"
	debugAPI = "shop.example.com/api X-Debug ?a+b=1 ?c"
)

// TestExplainSaysWhatEachRouteMissed wants whole lines, their columns one space
// apart.
func TestExplainSaysWhatEachRouteMissed(t *testing.T) {
	path := file(t, choosy)
	f := func(args []string, lines ...string) {
		t.Helper()
		a := rgate(t, append([]string{"explain", "-c", path}, args...)...)
		a.want(t, 0)
		var got []string
		for line := range strings.Lines(a.stdout) {
			got = append(got, strings.Join(strings.Fields(line), " "))
		}
		for _, line := range lines {
			if !slices.Contains(got, line) {
				t.Errorf("%q: no line %q in\n%s", args, line, a.stdout)
			}
		}
	}
	f([]string{"/api/x", "--host", "Shop.example.com:8080"},
		"GET /api/x", "host Shop.example.com:8080", "route "+readAPI+" (the most specific that takes it)", "outcome goes to 127.0.0.1:7",
		betaAPI+" it asks for the header X-Channel with the value beta, which the request has not",
		debugAPI+" it asks for the header X-Debug, which the request has not",
		"shop.example.com/ shorter than /api",
		"*.example.com,xn--bcher-kva.example/ its host *.example.com says less than shop.example.com",
		"/ it is for every host, and "+readAPI+" for shop.example.com",
		"only.test/ [GET,PUT] it is for only.test, not for shop.example.com")
	f([]string{"http://shop.example.com/api?a+b=2&c", "-H", "x-debug: 1", "-H", "X-Channel: beta"},
		"host shop.example.com", "route "+betaAPI+" (the most specific that takes it)",
		debugAPI+" it asks for the query parameter a b with the value 1, and the request has another",
		readAPI+" it asks for less than "+betaAPI)
	f([]string{"http://shop.example.com/api?a+b=1", "-H", "x-debug: 1"},
		debugAPI+" it asks for the query parameter c, which the request has not")
	f([]string{"/api", "--method", "put", "--host", "shop.example.com"}, "PUT /api", "route shop.example.com/ (the most specific that takes it)")
	f([]string{"PUT", "/api", "-H", "Host: shop.example.com", "-H", "X-Channel: stable"},
		"route shop.example.com/ (the most specific that takes it)",
		readAPI+" it takes GET, POST, not PUT")
	f([]string{"http://bücher.example/x"}, "host xn--bcher-kva.example", "route *.example.com,xn--bcher-kva.example/ (the most specific that takes it)")
	f([]string{"/apiary"}, "route / (the longest prefix that takes it)",
		"/api match: segment, and the path goes on within the segment",
		"only.test/ [GET,PUT] it is for only.test, and the request has no host")
}

func TestExplainMethodNotAllowed(t *testing.T) {
	text := strings.Replace(choosy, "  - {path_prefix: /, backend: any}\n", "", 1)
	a := rgate(t, "explain", "-c", file(t, text), "DELETE", "http://only.test/x")
	a.want(t, 0, "outcome  405: no route takes DELETE here, only GET, PUT", "it takes GET, PUT, not DELETE")
	a = rgate(t, "explain", "--json", "-c", file(t, text), "DELETE", "http://only.test/x")
	var e explanation
	if err := json.Unmarshal([]byte(a.stdout), &e); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(e.Allow) != "[GET PUT]" || e.Host != "only.test" || e.Route != "" || e.Lost[0].Route != "only.test/ [GET,PUT]" || e.Lost[0].PathPrefix != "/" {
		t.Errorf("got %+v", e)
	}
}

// Those that came nearest are shown first, however many routes there are.
func TestExplainShowsTheNearestFirst(t *testing.T) {
	text := "backends: [{name: a, endpoints: ['h:1']}]\nroutes:\n"
	for i := range 50 {
		text += fmt.Sprintf("  - {hosts: [h%d.example], backend: a}\n", i)
	}
	text += "  - {path_prefix: /, methods: [PUT], backend: a}\n"
	a := rgate(t, "explain", "-c", file(t, text), "http://h7.example/")
	a.want(t, 0, "routes that lost:\n  / [PUT]       it takes PUT, not GET\n  h0.example/   it is for ", "and 30 more")
}

func TestExplainRefusesWhatIsNoRequest(t *testing.T) {
	path := file(t, fixed)
	for want, args := range map[string][]string{
		"is no header: write it as in -H": {"/x", "-H", "X-Channel"},
		"a method is given twice":         {"PUT", "/x", "--method", "GET"},
		`"a..b" is no host`:               {"/x", "--host", "a..b"},
		`"[::1" is no host`:               {"/x", "-H", "host: [::1"},
		`"a b" is no host`:                {"/x", "--host", "a b"},
		`"a.example/x" is no host`:        {"/x", "--host", "a.example/x"},
		`"http://a.example" is no host`:   {"/x", "--host", "http://a.example"},
		`"G T" is no method`:              {"/x", "--method", "g t"},
		`"GET," is no method`:             {"get,", "/x"},
	} {
		rgate(t, append([]string{"explain", "-c", path}, args...)...).want(t, 2, want)
	}
}

func TestRoutesAreCalledByWhatTheyAskFor(t *testing.T) {
	rgate(t, "routes", "-c", file(t, choosy)).want(t, 0, betaAPI+" ", "only.test/ [GET,PUT] ")
}
