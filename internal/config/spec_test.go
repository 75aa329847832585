package config

import (
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// ignorePlaces compares what files mean, not where they say it.
var ignorePlaces = cmp.Options{
	cmpopts.IgnoreFields(Config{}, "File", "Sum"),
	cmpopts.IgnoreFields(Listener{}, "Place"),
	cmpopts.IgnoreFields(ClientAuth{}, "Place"),
	cmpopts.IgnoreFields(Route{}, "Line", "HostSpots"),
	cmpopts.IgnoreFields(Backend{}, "Line"),
	cmpopts.EquateEmpty(),
	cmpopts.EquateComparable(netip.Prefix{}),
}

func load(t *testing.T, path string) *Config {
	t.Helper()
	cfg, err := Load(path, nil)
	if err != nil {
		t.Fatalf("cannot load: %v", err)
	}
	return cfg
}

func label(key, value string) Label { return Label{Key: key, Value: value} }

func backend(name string, labels ...Label) Backend {
	return Backend{Name: name, MatchLabels: labels, Scheme: "http", Address: "auto", Traffic: defaultTraffic()}
}

// sorts makes files alike that list the same things in another order.
var sorts = cmp.Options{
	cmpopts.SortSlices(func(a, b Route) bool { return a.PathPrefix < b.PathPrefix }),
	cmpopts.SortSlices(func(a, b Backend) bool { return a.Name < b.Name }),
}

func TestSpecFilesMeanTheSame(t *testing.T) {
	want := Default()
	want.Routes = []Route{
		{PathPrefix: "/api/payment", Backend: "payment", Match: MatchLiteral},
		{PathPrefix: "/api/orders", Backend: "orders", Match: MatchLiteral},
	}
	want.DefaultResponse.Body, want.DefaultResponse.StatusCode = "This is not reachable", 403
	want.Backends = []Backend{
		backend("payment", label("app_name", "payment"), label("env", "production")),
		backend("orders", label("app_name", "orders"), label("env", "production")),
	}
	for _, name := range []string{"config.yml", "config-label-map.yml"} {
		got := load(t, filepath.Join("testdata", name))
		if diff := cmp.Diff(want, got, ignorePlaces, sorts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}

	// The third file means the same but for what it says otherwise: one label
	// more, and quotes that YAML does not know.
	want.DefaultResponse.Body = "“This is not reachable”"
	want.Backends = []Backend{
		backend("payment", label("app_name", "payment"), label("port", "3000"), label("env", "production")),
		backend("orders", label("app_name", "orders"), label("port", "3001"), label("env", "production")),
	}
	got := load(t, filepath.Join("testdata", "config-response-list.yml"))
	if diff := cmp.Diff(want, got, ignorePlaces, sorts); diff != "" {
		t.Errorf("config-response-list.yml (-want +got):\n%s", diff)
	}
}

func TestPlacesOfRoutesAndBackends(t *testing.T) {
	cfg := load(t, filepath.Join("testdata", "config.yml"))
	if cfg.File != filepath.Join("testdata", "config.yml") {
		t.Errorf("file is %q", cfg.File)
	}
	if got := []int{cfg.Routes[0].Line, cfg.Routes[1].Line, cfg.Backends[0].Line, cfg.Backends[1].Line}; !cmp.Equal(got, []int{2, 4, 10, 14}) {
		t.Errorf("lines are %v", got)
	}
}
