package docker

import (
	"net/netip"
	"strings"
	"testing"

	"rgate/internal/discovery"
)

func on(name, addr string) attachment {
	a := attachment{name: name, id: name + "-id"}
	a.addr, _ = netip.ParseAddr(addr)
	return a
}

func bound(private, public int, ip string) binding {
	addr, _ := netip.ParseAddr(ip)
	return binding{private: private, public: public, ip: addr}
}

// The places that rgate may look from.
var (
	onHost      = place{host: "127.0.0.1", direct: true}
	farAway     = place{host: "far.example"}
	inContainer = place{host: "172.18.0.1", direct: true, networks: map[string]bool{"shop-id": true}}
	inside      = func(names ...string) place { return place{direct: true, networks: map[string]bool{}} }
	donor       = facts{mode: "bridge", attachments: []attachment{on("bridge", "10.0.0.9")}, bindings: []binding{bound(80, 9000, "0.0.0.0")}}
)

// Each row is a container and what becomes of it: addresses in order, or the
// reason. The usual container runs on the bridge and exposes 80.
var judgeCases = []struct {
	name string
	f    func(*facts)
	s    func(*discovery.Selector)
	p    place
	want string
}{
	{"usual", nil, nil, onHost, "10.0.0.2:80"},
	{"no label", func(f *facts) { f.labels = nil }, nil, onHost, "missing label app=x"},
	{"other value", func(f *facts) { f.labels["app"] = "y" }, nil, onHost, "missing label app=x (has app=y)"},
	{"any value", func(f *facts) { f.labels["app"] = "y" }, func(s *discovery.Selector) { s.Labels[0].AnyValue = true }, onHost, "10.0.0.2:80"},
	{"paused", func(f *facts) { f.state = "paused" }, nil, onHost, "paused"},
	{"restarting", func(f *facts) { f.state = "restarting" }, nil, onHost, "not running (restarting)"},
	{"exited", func(f *facts) { f.state = "exited" }, nil, onHost, "not running (exited)"},
	{"health starting", func(f *facts) { f.health = "starting" }, nil, onHost, "health: starting"},
	{"unhealthy", func(f *facts) { f.health = "unhealthy" }, nil, onHost, "health: unhealthy"},
	{"healthy", func(f *facts) { f.health = "healthy" }, nil, onHost, "10.0.0.2:80"},
	{"port of the backend", nil, func(s *discovery.Selector) { s.Port = 3000 }, onHost, "10.0.0.2:3000"},
	{"lowest port", func(f *facts) { f.exposed = []int{80, 8080} }, nil, onHost,
		"10.0.0.2:80 note: container one exposes ports 80, 8080: took 80, the lowest; set port for backend b to choose"},
	{"no port", func(f *facts) { f.exposed = nil }, nil, onHost, "no TCP port: expose one, or set the backend's port"},
	{"no port and paused", func(f *facts) { f.exposed, f.state = nil, "paused" }, nil, onHost, "paused"},

	{"several networks by name", func(f *facts) { f.attachments = []attachment{on("a", "10.1.0.2"), on("b", "10.2.0.2")} }, nil, onHost, "10.1.0.2:80 10.2.0.2:80"},
	{"shared network first", func(f *facts) { f.attachments = []attachment{on("a", "10.1.0.2"), on("shop", "10.2.0.2")} }, nil, inContainer, "10.2.0.2:80 10.1.0.2:80"},
	{"chosen network", func(f *facts) { f.attachments = []attachment{on("a", "10.1.0.2"), on("b", "10.2.0.2")} }, func(s *discovery.Selector) { s.Network = "b" }, onHost, "10.2.0.2:80"},
	{"not on the chosen network", nil, func(s *discovery.Selector) { s.Network = "b" }, onHost, "unreachable: it is not on network b (but on bridge)"},
	{"no address there yet", func(f *facts) { f.attachments = []attachment{on("a", "")} }, nil, onHost, "unreachable: it has no address on a"},
	{"no network", func(f *facts) { f.attachments, f.mode = []attachment{on("none", "")}, "none" }, nil, onHost, "unreachable: it is on no network"},
	{"IPv6 only", func(f *facts) { f.attachments = []attachment{on("a", "fd00::2")} }, nil, onHost, "[fd00::2]:80"},

	{"published second on the host", func(f *facts) { f.bindings = []binding{bound(80, 9000, "0.0.0.0")} }, nil, onHost, "10.0.0.2:80 127.0.0.1:9000"},
	{"published first from afar", func(f *facts) { f.bindings = []binding{bound(80, 9000, "::")} }, nil, farAway, "far.example:9000 10.0.0.2:80"},
	{"published alone", func(f *facts) { f.bindings = []binding{bound(81, 1, "0.0.0.0"), bound(80, 9000, "192.0.2.7")} }, func(s *discovery.Selector) { s.Address = discovery.AddressPublished }, onHost, "192.0.2.7:9000"},
	{"not published", nil, func(s *discovery.Selector) { s.Address = discovery.AddressPublished }, onHost, "unreachable: port 80 is not published"},
	{"published on loopback here", func(f *facts) { f.bindings = []binding{bound(80, 9000, "127.0.0.1")} }, func(s *discovery.Selector) { s.Address = discovery.AddressPublished }, onHost, "127.0.0.1:9000"},
	{"published on loopback afar", func(f *facts) { f.bindings = []binding{bound(80, 9000, "127.0.0.1")} }, func(s *discovery.Selector) { s.Address = discovery.AddressPublished }, farAway, "unreachable: port 80 is published on the loopback of the engine's host alone"},
	{"published from a container", func(f *facts) { f.bindings = []binding{bound(80, 9000, "0.0.0.0")} }, func(s *discovery.Selector) { s.Address = discovery.AddressPublished }, inContainer, "172.18.0.1:9000"},
	{"published, from an internal network", func(f *facts) { f.bindings = []binding{bound(80, 9000, "0.0.0.0")} }, func(s *discovery.Selector) { s.Address = discovery.AddressPublished }, inside(), noWay},
	{"container alone", func(f *facts) { f.bindings = []binding{bound(80, 9000, "0.0.0.0")} }, func(s *discovery.Selector) { s.Address = discovery.AddressContainer }, farAway, "10.0.0.2:80"},

	{"host network", func(f *facts) { f.mode, f.attachments = "host", []attachment{on("host", "")} }, nil, onHost, "127.0.0.1:80"},
	{"host network afar", func(f *facts) { f.mode = "host" }, nil, farAway, "far.example:80"},
	{"host network from a container", func(f *facts) { f.mode = "host" }, nil, inContainer, "172.18.0.1:80"},
	{"host network from an internal network", func(f *facts) { f.mode = "host" }, nil, inside(), noWay},
	{"network of another", func(f *facts) { f.mode, f.donor, f.attachments = "container:abc", &donor, nil }, nil, onHost, "10.0.0.9:80 127.0.0.1:9000"},
	{"network of nobody", func(f *facts) { f.mode, f.attachments = "container:abcdefghijklmnop", nil }, nil, onHost, "unreachable: it uses the network of container abcdefghijkl, which is not there"},
}

func TestJudge(t *testing.T) {
	for _, row := range judgeCases {
		t.Run(row.name, func(t *testing.T) {
			f := facts{id: "1", name: "one", labels: map[string]string{"app": "x"}, state: "running", mode: "bridge",
				attachments: []attachment{on("bridge", "10.0.0.2")}, exposed: []int{80}}
			s := discovery.Selector{Backend: "b", Labels: []discovery.Label{{Key: "app", Value: "x"}}, Address: discovery.AddressAuto}
			if row.f != nil {
				row.f(&f)
			}
			if row.s != nil {
				row.s(&s)
			}
			v := judge(f, s, row.p)
			got := v.Reason
			if got == "" {
				got = strings.Join(v.tries, " ")
			}
			if v.Note != "" {
				got += " note: " + v.Note
			}
			if got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

func TestJudgeReadsWeightAndGeneration(t *testing.T) {
	s := discovery.Selector{WeightLabel: "w", GenerationLabel: "g"}
	for text, want := range map[string]int{"": 1, "1": 1, " 20 ": 20, "0": 1, "-3": 1, "x": 1, "9999999999": 1} {
		v := judge(facts{name: "one", labels: map[string]string{"w": text, "g": "7"}, state: "running", exposed: []int{1}}, s, place{})
		bad := want == 1 && text != "1"
		if v.Weight != want || v.Generation != "7" || bad != strings.Contains(v.Note, "taken as 1") {
			t.Errorf("%q: weight %d, generation %q, note %q", text, v.Weight, v.Generation, v.Note)
		}
	}
	if v := judge(facts{labels: map[string]string{"": "5"}}, discovery.Selector{}, place{}); v.Weight != 1 || v.Note != "" {
		t.Errorf("without a weight label: %d, %q", v.Weight, v.Note)
	}
}

// The proofs of addresses, in the order they are tried, and what follows.
func TestSettleTakesTheFirstThatAccepts(t *testing.T) {
	for name, row := range map[string]struct {
		proofs []proof
		want   string
	}{
		"accepts":                           {[]proof{accepts, accepts}, "a:1"},
		"refuses ends the search":           {[]proof{refuses, accepts}, "not listening yet on a:1"},
		"unreachable goes on":               {[]proof{unreachable, accepts}, "b:2"},
		"unreachable, then unknown":         {[]proof{unreachable, untried}, "not tried yet: b:2"},
		"unknown waits":                     {[]proof{untried, accepts}, "not tried yet: a:1"},
		"unreachable, then nothing listens": {[]proof{unreachable, refuses}, "not listening yet on b:2"},
		"all unreachable":                   {[]proof{unreachable, unreachable}, "unreachable: no way to b:2"},
	} {
		v := verdict{tries: []string{"a:1", "b:2"}}
		settle(&v, func(addr string) (proof, string) {
			return row.proofs[map[string]int{"a:1": 0, "b:2": 1}[addr]], "no way to " + addr
		})
		if got := v.Reason; got != row.want && (got != "" || v.Address != row.want) {
			t.Errorf("%s: address %q, reason %q, want %q", name, v.Address, v.Reason, row.want)
		}
	}
}
