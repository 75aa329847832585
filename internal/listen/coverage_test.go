package listen

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"rgate/internal/cert"
	"rgate/internal/config"
	"rgate/internal/trial"
)

// internal vouches for what ends so, as `internal` does.
func internal(said *config.ListenerTLS, host string) (kind, why string) {
	switch {
	case !said.Internal:
		return "", ""
	case strings.HasSuffix(host, ".internal"):
		return cert.KindInternal, ""
	}
	return "", "it is for private names"
}

func TestUncovered(t *testing.T) {
	dir := t.TempDir()
	trial.Certificate(t, dir, "a", "a.example", "*.wild.example", "192.0.2.7")
	trial.Certificate(t, dir, "b", "b.example")
	const certA, certB = "{cert: a.pem, key: a.key}", "{cert: b.pem, key: b.key}"
	for _, test := range []struct {
		name, listeners, hosts string
		want                   []string
	}{
		{"none has TLS", "[{address: ':1'}]", "[x.example]", nil},
		{"all are named", "[{address: ':1', tls: {certificates: [" + certA + "]}}]", `[a.example, "*.wild.example", x.wild.example, "192.0.2.7"]`, nil},
		{"one is not", "[{address: ':1', tls: {certificates: [" + certA + "]}}]", "[a.example, b.example]",
			[]string{"c.yml:2:30: the listener `:1` on line 1 has no certificate for `b.example`: who asks for it by HTTPS is refused (add one that names it under `certificates`)"}},
		{"a wildcard is none for itself", "[{address: ':1', tls: {certificates: [" + certA + "]}}]", `[wild.example, "*.example"]`,
			[]string{"`wild.example`", "`*.example`"}},
		{"another has it", "[{address: ':1', tls: {certificates: [" + certA + "]}}, {address: ':2', tls: {certificates: [" + certB + "]}}]", "[a.example, b.example]", nil},
		{"none of two", "[{address: ':1', tls: {certificates: [" + certA + "]}}, {address: ':2', tls: internal}]", "[c.example, d.internal]",
			[]string{"any listener with `tls` (`:1` on line 1, `:2` on line 1) has no certificate for `c.example`", "under `certificates`; it is for private names)"}},
		{"by default", "[{address: ':1', tls: {certificates: [{cert: a.pem, key: a.key, default: true}]}}]", "[c.example]", nil},
		{"nowhere to redirect to", "[{address: ':1', tls: internal}, {address: ':2', redirect: https}]", "[c.example]",
			[]string{"`c.example`", "c.yml:1:55: `redirect: https` redirects nobody here"}},
		{"somewhere to redirect to", "[{address: ':1', tls: internal}, {address: ':2', redirect: https}]", "[c.example, a.internal]", []string{"`c.example`"}},
		{"any host", "[{address: ':1', tls: internal}, {address: ':2', redirect: https}]", "[]", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := "listeners: " + test.listeners + "\nroutes: [{hosts: " + test.hosts + ", path_prefix: /, backend: b}]\nbackends: [{name: b, endpoints: ['127.0.0.1:1']}]\n"
			expectUncovered(t, dir, text, test.want)
		})
	}
}

func expectUncovered(t *testing.T, dir, text string, want []string) {
	t.Helper()
	if err := os.WriteFile(dir+"/c.yml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	cfg, err := config.Load("c.yml", nil)
	if err != nil {
		t.Fatal(err)
	}
	secured, warnings, err := Check(cfg.Listeners)
	if err != nil || warnings != nil {
		t.Fatal(warnings, err)
	}
	var got []string
	for _, w := range Uncovered(cfg, secured, internal) {
		if !w.Warning {
			t.Errorf("no warning: %v", w)
		}
		got = append(got, w.String())
	}
	if all := strings.Join(got, "\n"); (len(want) == 0) != (all == "") || !containsAll(all, want) {
		t.Errorf("got:\n%s\nwant:\n%s", all, strings.Join(want, "\n"))
	}
}

func containsAll(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// A file with ten thousand hosts is not told of each.
func TestUncoveredIsBounded(t *testing.T) {
	cfg := &config.Config{File: "c.yml", Listeners: []config.Listener{{Name: "a", TLS: &config.ListenerTLS{Internal: true}}}}
	for i := range 10_000 {
		cfg.Routes = append(cfg.Routes, config.Route{Hosts: []string{fmt.Sprintf("n%d.example", i)}})
	}
	secured, _, err := Check(cfg.Listeners)
	if err != nil {
		t.Fatal(err)
	}
	got := Uncovered(cfg, secured, internal)
	if len(got) != maxUncovered || !strings.HasSuffix(got[maxUncovered-1].Message, "; nor for 9980 more") {
		t.Errorf("%d, the last of which is %v", len(got), got[len(got)-1])
	}
}
