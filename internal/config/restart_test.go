package config

import (
	"slices"
	"testing"
)

func TestRestartNeeded(t *testing.T) {
	f := func(old, new string, want ...string) {
		t.Helper()
		from, err := Parse("old.yml", []byte(old), nil)
		if err != nil {
			t.Fatal(err)
		}
		to, err := Parse("new.yml", []byte(new), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := RestartNeeded(from, to); !slices.Equal(got, want) {
			t.Errorf("%s → %s needs %v, want %v", old, new, got, want)
		}
	}
	f("listen: ':1'", "listen: ':1'")
	f("retries: 1", "retries: 2")
	f("listen: ':1'", "listen: ':2'", "listen")
	f("engine: loop", "engine: standard", "engine")
	f("admin: {socket: /a}", "docker: {host: 'tcp://h:1', tls: {ca: x}}", "admin.socket", "docker.host", "docker.tls")
	f("timeouts: {idle: 1s, client_header: 1s}", "limits: {header_bytes: 4KB}")
}
