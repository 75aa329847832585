//go:build linux

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestNginxConfig(t *testing.T) {
	text := nginxConfig("/d", "127.0.0.1:1", []string{"10.0.0.1:8080", "10.0.0.2:8080"})
	for _, want := range []string{"server 10.0.0.2:8080;", "keepalive 4;", "listen 127.0.0.1:1;", "pid /d/nginx.pid;"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if text = nginxConfig("/d", "127.0.0.1:1", nil); !strings.Contains(text, "down;") {
		t.Errorf("no upstream:\n%s", text)
	}
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		return // the comparison installs it and reads this file
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(nginxConfig(dir, "127.0.0.1:1", nil)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(nginx, "-t", "-c", file, "-e", filepath.Join(dir, "error.log")).CombinedOutput(); err != nil && os.Geteuid() == 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestCaddyConfig(t *testing.T) {
	text := caddyConfig("127.0.0.1:1", "127.0.0.1:2", "5s", []string{"10.0.0.1:8080"})
	if !json.Valid(text) || !strings.Contains(string(text), `"load_balancing":{"try_duration":"5s"},"upstreams":[{"dial":"10.0.0.1:8080"}]`) {
		t.Errorf("%s", text)
	}
}
