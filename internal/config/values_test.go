package config

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := Parse("config.yml", []byte(text), testEnv)
	if err != nil {
		t.Fatalf("cannot parse:\n%v", err)
	}
	return cfg
}

// TestValues gives a text and what it changes in the default configuration.
func TestValues(t *testing.T) {
	f := func(text string, change func(*Config)) {
		t.Helper()
		want := Default()
		change(want)
		if diff := cmp.Diff(want, parse(t, text), ignorePlaces); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	f("routes: []", func(*Config) {})
	f("routes:\nbackends:\nlimits:\nstats:\n", func(*Config) {})
	f("\ufefflisten: ':80'\r\n", func(c *Config) { c.Listen = ":80" })
	f("listen: '[::1]:0'", func(c *Config) { c.Listen = "[::1]:0" })
	f("engine: standard", func(c *Config) { c.Engine = EngineStandard })
	f("half_close: answer", func(c *Config) { c.HalfClose = HalfCloseAnswer })
	f("reason_header: false", func(c *Config) { c.ReasonHeader = false })
	f("stats: {path: ''}", func(c *Config) { c.Stats.Path = "" })
	f("upgrade: {drain_timeout: 5m}", func(c *Config) { c.Upgrade.DrainTimeout = 5 * time.Minute })
	f("admin: {socket: /run/r.sock}", func(c *Config) { c.Admin.Socket = "/run/r.sock" })
	f("docker: {host: 'tcp://[::1]:2376', tls: {ca: a, cert: b, key: c}}", func(c *Config) {
		c.Docker = Docker{Host: "tcp://[::1]:2376", TLS: TLS{CA: "a", Cert: "b", Key: "c"}}
	})
	f("docker: {host: 'ssh://me@there'}", func(c *Config) { c.Docker.Host = "ssh://me@there" })
	f("docker: {host: 'unix:///run/docker.sock', tls: }", func(c *Config) { c.Docker.Host = "unix:///run/docker.sock" })
	f("timeouts: {connect: 1m30s, idle: 500ms}", func(c *Config) {
		c.Timeouts.Connect, c.Timeouts.Idle = 90*time.Second, 500*time.Millisecond
	})
	f("limits: {header_bytes: 64KB, connections: 0, body_progress: {bytes: 0, within: 1s}}", func(c *Config) {
		c.Limits.HeaderBytes, c.Limits.Connections = 65536, 0
		c.Limits.BodyProgress = BodyProgress{Within: time.Second}
	})
	f("limits: {header_bytes: 8192, body_progress: {bytes: 2 MiB}}", func(c *Config) {
		c.Limits.HeaderBytes, c.Limits.BodyProgress.Bytes = 8192, 2<<20
	})
	f("trusted_proxies: [10.0.0.0/8, 192.0.2.7, 'fd00::/8', '::ffff:10.1.1.1']", func(c *Config) {
		for _, network := range []string{"10.0.0.0/8", "192.0.2.7/32", "fd00::/8", "10.1.1.1/32"} {
			c.TrustedProxies = append(c.TrustedProxies, netip.MustParsePrefix(network))
		}
	})
	f("default_response: {body: hi, content_type: text/html}", func(c *Config) {
		c.DefaultResponse = Response{Body: "hi", StatusCode: 404, ContentType: "text/html"}
	})
	f("retry_timeouts: true\neject: {timeouts: 5}", func(c *Config) { c.Traffic.RetryTimeouts, c.Traffic.Eject.Timeouts = true, 5 })
	f("default_response: {status_code: 204}", func(c *Config) {
		c.DefaultResponse.StatusCode, c.DefaultResponse.Body = 204, ""
	})
	f("slow_start: 0\nretries: 0\nsticky: {cookie: c, secret: 0123456789abcdef}", func(c *Config) {
		c.Traffic.Retries, c.Traffic.Sticky = 0, Sticky{Cookie: "c", Secret: "0123456789abcdef"}
	})
}

func TestBalance(t *testing.T) {
	f := func(text string, want Balance) {
		t.Helper()
		if got := parse(t, "balance: "+text).Traffic.Balance; got != want {
			t.Errorf("%s gives %+v, want %+v", text, got, want)
		}
	}
	f("random", Balance{Policy: BalanceRandom})
	f("least_request", Balance{Policy: BalanceLeastRequest})
	f("round_robin", Balance{Policy: BalanceRoundRobin})
	f("consistent_hash", Balance{BalanceConsistentHash, HashByClientIP, ""})
	f("{consistent_hash: client_ip}", Balance{BalanceConsistentHash, HashByClientIP, ""})
	f("{consistent_hash: path}", Balance{BalanceConsistentHash, HashByPath, ""})
	f("{consistent_hash: {header: X-User}}", Balance{BalanceConsistentHash, HashByHeader, "X-User"})
	f("{consistent_hash: {cookie: session}}", Balance{BalanceConsistentHash, HashByCookie, "session"})
}

// TestTrafficIsInherited reads a file whose backends come first: what they
// inherit stands below them.
func TestTrafficIsInherited(t *testing.T) {
	cfg := parse(t, `
backends:
  - {name: all, match_labels: [x]}
  - {name: some, match_labels: [x], retries: 1, queue: {size: 7}, balance: round_robin, health: {path: /own}}
  - {name: none, match_labels: [x], health: false, sticky: false}
retries: 5
balance: {consistent_hash: path}
queue: {timeout: 1s}
health: {path: /healthz, interval: 5s}
sticky: {cookie: c}
`)
	want := defaultTraffic()
	want.Retries, want.Queue.Timeout = 5, time.Second
	want.Balance = Balance{Policy: BalanceConsistentHash, HashBy: HashByPath}
	want.Health.Path, want.Health.Interval = "/healthz", 5*time.Second
	want.Sticky.Cookie = "c"
	if diff := cmp.Diff(want, cfg.Traffic); diff != "" {
		t.Errorf("top level (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, cfg.Backends[0].Traffic); diff != "" {
		t.Errorf("backend that says nothing (-want +got):\n%s", diff)
	}
	none := want
	none.Health.Path, none.Sticky.Cookie = "", ""
	if diff := cmp.Diff(none, cfg.Backends[2].Traffic); diff != "" {
		t.Errorf("backend that turns off (-want +got):\n%s", diff)
	}
	want.Retries, want.Queue.Size, want.Balance, want.Health.Path = 1, 7, Balance{Policy: BalanceRoundRobin}, "/own"
	if diff := cmp.Diff(want, cfg.Backends[1].Traffic); diff != "" {
		t.Errorf("backend with its own (-want +got):\n%s", diff)
	}
}

func TestLabels(t *testing.T) {
	f := func(text string, want ...Label) {
		t.Helper()
		got := parse(t, "backends: [{name: b, endpoints: ['h:1'], match_labels: "+text+"}]").Backends[0].MatchLabels
		if !cmp.Equal(got, want) {
			t.Errorf("%s gives %v, want %v", text, got, want)
		}
	}
	f("[app=orders, 'eq=a=b', empty=]", label("app", "orders"), label("eq", "a=b"), label("empty", ""))
	f("[app, env]", Label{Key: "app", AnyValue: true}, Label{Key: "env", AnyValue: true})
	f("[{app: orders}, {env: }, {n: 3, b: true}]", label("app", "orders"), Label{Key: "env", AnyValue: true}, label("n", "3"), label("b", "true"))
	f("{app: orders, tier: , port: 08, none: ''}", label("app", "orders"), Label{Key: "tier", AnyValue: true}, label("port", "08"), label("none", ""))
	f(`["port=${PORT}", {word: "${WORD}"}]`, label("port", "3000"), label("word", "many"))
	f("[]")
}

func TestBackendKeys(t *testing.T) {
	got := parse(t, `
backends:
  - name: b
    match_labels: [x]
    port: 3000
    scheme: http
    address: published
    network: front
    endpoints: ["10.0.0.7:80", "orders.internal:8080", "[fd00::7]:80", "[fe80::1%eth0]:80"]
    generation_label: rgate.generation
    weight_label: rgate.weight
`).Backends[0]
	want := backend("b", Label{Key: "x", AnyValue: true})
	want.Port, want.Address, want.Network = 3000, "published", "front"
	want.Endpoints = []string{"10.0.0.7:80", "orders.internal:8080", "[fd00::7]:80", "[fe80::1%eth0]:80"}
	want.GenerationLabel, want.WeightLabel = "rgate.generation", "rgate.weight"
	if diff := cmp.Diff(want, got, ignorePlaces); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPrefixesThatCanMatch(t *testing.T) {
	for _, prefix := range []string{
		"/", "/api", "/api/", "/.", "/.well-known", "/a..b", "/...", "//", "/a//b", "/a%2Fb", "/a%2fb", "/caf%C3%A9", "/a%20b", "/a;v=1", "/a%25", "/~user",
	} {
		if message, hint := matchFault("path prefix", prefix, MatchLiteral); message != "" {
			t.Errorf("%s is refused: %s (%s)", prefix, message, hint)
		}
	}
}

// A page whose path no request can have would be a page that is not there.
func TestPagesThatNeverMatch(t *testing.T) {
	f := func(path, message, hint string) {
		t.Helper()
		_, err := Parse("config.yml", []byte("stats: {path: '"+path+"'}"), nil)
		var problems *Problems
		if !errors.As(err, &problems) || !strings.Contains(problems.List[0].Message, message) || problems.List[0].Hint != hint {
			t.Errorf("%s gives %v, want %s (%s)", path, err, message, hint)
		}
	}
	f("/%73", "this path never matches: requests are matched with only reserved characters percent-encoded", "write `/s`")
	f("/a/../stats", "this path never matches: `.` and `..` are resolved before matching", "write `/stats`")
	f("/stats/.", "this path never matches: `.` and `..` are resolved before matching", "write `/stats`")
	f("/stats?by=x", "a path cannot hold `?`", "write `/stats`")
	f("/100%", "the percent-encoding `%` is not two hexadecimal digits", "write `%25` for a plain `%`")
	f("/a%00", "a path with an encoded NUL is always refused", "remove `%00`")
	f("/a%2f..", "a path that hides `.` or `..`", "write the path as it is meant")
	f("/..;a/b", "a path that hides `.` or `..`", "write the path as it is meant")
	for _, path := range []string{"/", "/stats", "/a/b/", "/a%20b", "/a%2Fb", "/a;b", "/.well-known/stats"} {
		if got := parse(t, "stats: {path: '"+path+"'}").Stats.Path; got != path {
			t.Errorf("%s became %s", path, got)
		}
	}
}

func TestVariables(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := parse(t, "default_response: {body: '"+text+"'}").DefaultResponse.Body; got != want {
			t.Errorf("%s gives %q, want %q", text, got, want)
		}
	}
	f("${PORT}", "3000")
	f("a ${PORT}/${WORD} b", "a 3000/many b")
	f("${NONE:-x y}", "x y")
	f("${NONE:-}", "")
	f("${PORT:-1}", "3000")
	f("${EMPTY}", "")
	f("${EMPTY:-full}", "full")
	f("$${PORT}", "${PORT}")
	f("$$${PORT}", "$${PORT}")
	f("$PORT $ {PORT} $", "$PORT $ {PORT} $")
	f("${INJECT}", "x\nroutes: []") // text like any other

	cfg := parse(t, "default_response: {status_code: \"${NONE:-403}\"}\nreason_header: ${NO:-false}\nlisten: :${PORT}\ndrain_timeout: ${NONE:-5}s\n")
	if cfg.DefaultResponse.StatusCode != 403 || cfg.ReasonHeader || cfg.Listen != ":3000" || cfg.Traffic.DrainTimeout != 5*time.Second {
		t.Errorf("got %+v", cfg)
	}
}

func TestKeysAreNotExpanded(t *testing.T) {
	if _, err := Parse("config.yml", []byte("${WORD}: 1"), testEnv); err == nil || !strings.Contains(err.Error(), "unknown key `${WORD}`") {
		t.Errorf("got %v", err)
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	cfg := parse(t, `
backends:
  - &base
    name: a
    match_labels: &labels [app=a]
    retries: &some 4
    queue: &queue {size: 3}
  - <<: *base
    name: b
  - <<: [{name: c, port: 1}, *base]
    queue: {<<: *queue, timeout: 9s}
max_in_flight: *some
`)
	b, c := cfg.Backends[1], cfg.Backends[2]
	if b.Name != "b" || b.Traffic.Retries != 4 || !cmp.Equal(b.MatchLabels, []Label{label("app", "a")}) {
		t.Errorf("second backend is %+v", b)
	}
	if c.Name != "c" || c.Port != 1 || c.Traffic.Queue != (Queue{Size: 3, Timeout: 9 * time.Second}) {
		t.Errorf("third backend is %+v", c)
	}
	if cfg.Traffic.MaxInFlight != 4 {
		t.Errorf("max_in_flight is %d", cfg.Traffic.MaxInFlight)
	}
}

func TestListeners(t *testing.T) {
	cfg := parse(t, "listen: ':80'\nlisteners:\n  - address: :${PORT}\n  - {address: '127.0.0.1:9000', name: internal}\n  - {address: 'localhost:9001'}\n")
	var got []string
	for _, l := range cfg.Listeners {
		got = append(got, l.Name+" "+l.Address)
	}
	if want := []string{":3000 :3000", "internal 127.0.0.1:9000", "localhost:9001 localhost:9001"}; !slices.Equal(got, want) {
		t.Errorf("%q instead of %q", got, want)
	}
	for peer, want := range map[string]bool{"10.1.1.1": true, "192.0.2.7": true, "192.0.2.8": false, "::1": false} {
		p := parse(t, "listeners: [{address: ':81', proxy_protocol: {from: [10.0.0.0/8, 192.0.2.7]}}]\n").Listeners[0].ProxyProtocol
		if got := p.Of(netip.MustParseAddr(peer)); got != want || cfg.Listeners[0].ProxyProtocol.Of(netip.MustParseAddr(peer)) {
			t.Errorf("%s begins with a header: %v", peer, got)
		}
	}
	for first, want := range map[string]string{
		":8080": "", "127.0.0.1:0": "", "127.0.0.2:9000": "", "": "",
		":9000":          "config.yml:4:15: `127.0.0.1:9000` cannot be listened on beside `:9000`, where rgate listens anyway",
		"127.0.0.1:3000": "config.yml:3:14: `:3000` cannot be listened on beside `127.0.0.1:3000`",
		"127.0.0.1:9001": "they are the same: change or remove one; --port and `listen` say where else",
	} {
		if err := cfg.Beside(first); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("beside %q: %v instead of %q", first, err, want)
		}
	}
}
