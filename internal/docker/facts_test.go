package docker

import (
	"encoding/json"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// An item of a list as engine 20.10 writes it, and as 29 does, shortened.
const (
	listed20 = `{"Id":"c1","Names":["/web/db","/db"],"Created":1700000000,"State":"running","Status":"Up 2 hours (unhealthy)",
		"Labels":{"app":"x"},"HostConfig":{"NetworkMode":"shop"},
		"Ports":[{"IP":"::","PrivatePort":80,"PublicPort":9000,"Type":"tcp"},{"IP":"127.0.0.1","PrivatePort":80,"PublicPort":7,"Type":"tcp"},
			{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":9000,"Type":"tcp"},{"PrivatePort":53,"Type":"udp"},{"PrivatePort":8443,"Type":"tcp"}],
		"NetworkSettings":{"Networks":{"shop":{"NetworkID":"n2","IPAddress":"10.0.2.2","GlobalIPv6Address":""},
			"back":{"NetworkID":"n1","IPAddress":"","GlobalIPv6Address":"fd00::2"},"odd":null}}}`
	listed29 = `{"Id":"c1","Names":["/db"],"State":"running","Status":"Up","Health":{"Status":"starting","FailingStreak":0}}`
)

func TestFactsOfAList(t *testing.T) {
	read := func(text string, d details) facts {
		var s container.Summary
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		return newFacts(s, d)
	}
	everything := cmp.AllowUnexported(facts{}, attachment{}, binding{}, details{})
	addresses := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	want := facts{
		id: "c1", name: "db", labels: map[string]string{"app": "x"}, state: "running", health: "unhealthy", mode: "shop",
		attachments: []attachment{{"back", "n1", netip.MustParseAddr("fd00::2")}, {"shop", "n2", netip.MustParseAddr("10.0.2.2")}},
		bindings: []binding{
			{80, 9000, netip.MustParseAddr("0.0.0.0")}, {80, 9000, netip.MustParseAddr("::")}, {80, 7, netip.MustParseAddr("127.0.0.1")},
		},
		exposed: []int{80, 3000, 8443},
		details: details{created: time.Unix(1700000000, 0).UTC(), stopSignal: sigTERM, exposedAll: []int{3000}},
	}
	if diff := cmp.Diff(want, read(listed20, details{exposedAll: []int{3000}}), everything, addresses); diff != "" {
		t.Error(diff)
	}
	if got := read(listed29, details{}).health; got != "starting" {
		t.Errorf("health %q", got)
	}
	for status, want := range map[container.HealthStatus]string{container.NoHealthcheck: "", container.Healthy: "healthy"} {
		if got := healthOf(container.Summary{Health: &container.HealthSummary{Status: status}}); got != want {
			t.Errorf("health %q, want %q", got, want)
		}
	}
	if got := nameOf([]string{"/a/b"}); got != "" {
		t.Errorf("a link's name was taken: %q", got)
	}
}

func TestDetailsOfAnInspectAnswer(t *testing.T) {
	seconds := 7
	got := newDetails(container.InspectResponse{
		Created: "2026-11-24T10:00:00.5Z", State: &container.State{StartedAt: "2026-11-24T10:00:01Z"},
		Config: &container.Config{StopSignal: "SIGRTMIN+3", StopTimeout: &seconds, ExposedPorts: network.PortSet{
			network.MustParsePort("81/tcp"): {}, network.MustParsePort("80/tcp"): {}, network.MustParsePort("53/udp"): {},
		}},
	})
	want := details{
		created: time.Date(2026, 11, 24, 10, 0, 0, 5e8, time.UTC), started: time.Date(2026, 11, 24, 10, 0, 1, 0, time.UTC),
		stopSignal: 37, stopTimeout: 7 * time.Second, exposedAll: []int{80, 81},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(details{})); diff != "" {
		t.Error(diff)
	}
	if got := newDetails(container.InspectResponse{}).stopSignal; got != sigTERM {
		t.Errorf("the usual stop signal is %d", got)
	}
}

func TestFactsOfADonor(t *testing.T) {
	port := network.MustParsePort("80/tcp")
	got := donorFacts(container.InspectResponse{
		ID: "d", Name: "/donor", HostConfig: &container.HostConfig{NetworkMode: "host"},
		NetworkSettings: &container.NetworkSettings{
			Networks: map[string]*network.EndpointSettings{"host": {NetworkID: "h"}},
			Ports:    network.PortMap{port: {{HostIP: netip.MustParseAddr("0.0.0.0"), HostPort: "9000"}}},
		},
	})
	if got.mode != "host" || got.name != "donor" || len(got.attachments) != 1 || got.bindings[0].public != 9000 {
		t.Errorf("got %+v", got)
	}
}

func TestPlaceInsideAContainer(t *testing.T) {
	onHost := place{host: "127.0.0.1"}
	settings := func(gateway string) *container.NetworkSettings {
		s := &network.EndpointSettings{NetworkID: "n"}
		s.Gateway, _ = netip.ParseAddr(gateway)
		return &container.NetworkSettings{Networks: map[string]*network.EndpointSettings{"n": s}}
	}
	for name, row := range map[string]struct {
		self container.InspectResponse
		want place
	}{
		"bridge":       {container.InspectResponse{NetworkSettings: settings("172.18.0.1")}, place{"", "172.18.0.1", true, map[string]bool{"n": true}}},
		"internal":     {container.InspectResponse{NetworkSettings: settings("")}, place{"", "", true, map[string]bool{"n": true}}},
		"host network": {container.InspectResponse{HostConfig: &container.HostConfig{NetworkMode: "host"}}, place{"", "127.0.0.1", true, nil}},
		"unknown":      {container.InspectResponse{}, onHost},
	} {
		if diff := cmp.Diff(row.want, onHost.inside(row.self), cmp.AllowUnexported(place{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestReadOnlyRefusesAllButGET(t *testing.T) {
	for _, method := range []string{"POST", "HEAD", "DELETE", "PUT"} {
		if _, err := (readOnly{}).RoundTrip(httptest.NewRequest(method, "/_ping", nil)); err == nil {
			t.Errorf("%s went through", method)
		}
	}
}
