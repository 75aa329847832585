package enginetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	deadline := time.Now().Add(30 * time.Second)
	for {
		resp, err := client.Get(url)
		if err == nil {
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			return string(body)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestMachineRunsTheTestServer(t *testing.T) {
	e := Machine(t)
	begun := time.Now()
	image := e.Build(t, Image{Health: HealthCheck, StopSignal: "SIGQUIT", Labels: map[string]string{"a": "b c"}})
	t.Logf("built in %v", time.Since(begun))
	c := e.Run(t, RunOptions{Image: image, Args: []string{"-name", "one"}, Publish: []string{"8080"}})

	var answer struct{ Name string }
	if err := json.Unmarshal([]byte(get(t, "http://"+net.JoinHostPort(c.IP("bridge"), "8080")+"/")), &answer); err != nil || answer.Name != "one" {
		t.Errorf("answer = %+v, %v", answer, err)
	}
	raw := get(t, "http://"+c.Published("8080/tcp")+"/some/prefix/echo?x=1")
	if !strings.HasPrefix(raw, "GET /some/prefix/echo?x=1 HTTP/1.1\r\nHost: ") {
		t.Errorf("echo = %q", raw)
	}
	config := c.Inspect().Config
	if config.StopSignal != "SIGQUIT" || config.Labels["a"] != "b c" || config.Healthcheck == nil {
		t.Errorf("the image is not as ordered: %+v", config)
	}
	c.Stop(5 * time.Second)
	if !strings.Contains(c.Logs(), "listening on :8080") {
		t.Errorf("logs = %q", c.Logs())
	}
}

func TestPrivateEngineLivesOnItsOwn(t *testing.T) {
	begun := time.Now()
	e := Private(t, PrivateOptions{LiveRestore: true})
	t.Logf("started in %v", time.Since(begun))
	c := e.Run(t, RunOptions{Image: e.Build(t, Image{})})
	url := fmt.Sprintf("http://%s:8080/", c.IP("bridge"))
	get(t, url)

	e.Signal(t, syscall.SIGSTOP)
	get(t, url)
	e.Signal(t, syscall.SIGCONT)
	e.Kill(t)
	get(t, url)
	e.Start(t)
	e.Restart(t)
	if state := c.Inspect().State; !state.Running {
		t.Errorf("the container did not outlive its daemon: %+v", state)
	}
}
