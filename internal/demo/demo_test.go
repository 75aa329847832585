package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"rgate/internal/enginetest"
)

const program = "rgate/cmd/rgate"

// output is what a running demo wrote so far.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// show is a running demo.
type show struct {
	t    *testing.T
	out  *output
	url  string
	end  func() error // ends it and waits
	http *http.Client
}

var introduced = regexp.MustCompile(`rgate serves (http://\S+) and`)

func start(t *testing.T, o Options) *show {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &show{t: t, out: &output{}, http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}}
	o.Stdout = s.out
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, o) }()
	s.end = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = s.end() })
	until(t, s.out, func() bool { return introduced.MatchString(s.out.String()) })
	s.url = introduced.FindStringSubmatch(s.out.String())[1]
	return s
}

func until(t *testing.T, out *output, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not happen; the demo said:\n%s", out)
		}
	}
}

func (s *show) get(path string) (int, string) {
	s.t.Helper()
	response, err := s.http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// names asks often enough that every endpoint was picked, short of a miracle.
func (s *show) names(path string) map[string]bool {
	s.t.Helper()
	names := map[string]bool{}
	for range 60 {
		status, body := s.get(path)
		var r reply
		if err := json.Unmarshal([]byte(body), &r); status != 200 || err != nil || r.Path != path {
			s.t.Fatalf("%s: %d %s", path, status, body)
		}
		names[r.AnsweredBy] = true
	}
	return names
}

func (s *show) expectTraffic(suffix string) {
	s.t.Helper()
	for _, app := range []string{"payment", "orders"} {
		names := s.names("/api/" + app + "/7?x=1")
		if len(names) != 2 || !names[app+"-1"+suffix] || !names[app+"-2"+suffix] {
			s.t.Errorf("%s: answered by %v", app, names)
		}
	}
	if status, body := s.get("/elsewhere"); status != 403 || body != "This is not reachable" {
		s.t.Errorf("/elsewhere: %d %q", status, body)
	}
	// A request is recorded just after its last byte was sent.
	until(s.t, s.out, func() bool { _, body := s.get("/stats"); return strings.Contains(body, `"success": 120`) })
}

// made is what of the demo an engine holds.
func made(t *testing.T, engine *enginetest.Engine) (containers, images int) {
	t.Helper()
	ours := make(client.Filters).Add("label", ownerLabel)
	c, err := engine.Client.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	i, err := engine.Client.ImageList(t.Context(), client.ImageListOptions{Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	return len(c.Items), len(i.Items)
}

func expectMade(t *testing.T, engine *enginetest.Engine, containers, images int) {
	t.Helper()
	if c, i := made(t, engine); c != containers || i != images {
		t.Errorf("%d containers and %d images of the demo, want %d and %d", c, i, containers, images)
	}
}

// onEngine is an engine of this test's own: on the machine's there might be
// containers that carry the usual labels.
func onEngine(t *testing.T) (*enginetest.Engine, string) {
	t.Helper()
	engine := enginetest.Private(t, enginetest.PrivateOptions{})
	t.Setenv("DOCKER_HOST", engine.Host)
	t.Setenv("TMPDIR", t.TempDir())
	file := filepath.Join(t.TempDir(), "rgate")
	if err := os.WriteFile(file, enginetest.Compile(t, program), 0o755); err != nil {
		t.Fatal(err)
	}
	return engine, file
}

func TestShowsContainersAndRemovesThem(t *testing.T) {
	engine, binary := onEngine(t)
	s := start(t, Options{Binary: binary})
	expectMade(t, engine, 4, 1)
	s.expectTraffic("")
	if out := s.out.String(); strings.Contains(out, "in this process") || !strings.Contains(out, s.url+"/api/payment/7") {
		t.Errorf("the demo said:\n%s", out)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
	expectMade(t, engine, 0, 0)
}

// A crashed demo's things go at the next start, a living one's stay.
func TestRemovesWhatACrashedDemoLeft(t *testing.T) {
	engine, binary := onEngine(t)
	alive, err := takeLease()
	if err != nil {
		t.Fatal(err)
	}
	defer alive.drop()
	for id, app := range map[string]string{"0dead0": "left", alive.id: "other"} {
		e, err := openEngine(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		content, err := staticBinary(binary)
		if err != nil {
			t.Fatal(err)
		}
		image, err := e.build(t.Context(), id, content)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.run(t.Context(), id, image, app, app+"-1"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.sweep(context.WithoutCancel(t.Context()), id); _ = e.Close() })
	}
	s := start(t, Options{Binary: binary})
	if !strings.Contains(s.out.String(), "earlier demo (0dead0)") {
		t.Errorf("the demo said:\n%s", s.out)
	}
	expectMade(t, engine, 5, 2)
	if err := s.end(); err != nil {
		t.Error(err)
	}
	expectMade(t, engine, 1, 1)
}

// Whenever the user gives up, nothing stays.
func TestEndsCleanlyWhileItSetsUp(t *testing.T) {
	engine, binary := onEngine(t)
	for _, moment := range []string{"Making an image", ""} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &cancelling{at: moment, cancel: cancel}
		if moment == "" {
			cancel()
		}
		if err := Run(ctx, Options{Binary: binary, Stdout: out}); err != nil {
			t.Errorf("given up at %q: %v", moment, err)
		}
		cancel()
		expectMade(t, engine, 0, 0)
	}
}

// cancelling gives up when it reads a text.
type cancelling struct {
	at     string
	cancel func()
}

func (c *cancelling) Write(p []byte) (int, error) {
	if c.at != "" && strings.Contains(string(p), c.at) {
		c.cancel()
	}
	return len(p), nil
}

func TestServesInProcessWithoutAnEngine(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	s := start(t, Options{Terminal: true})
	s.expectTraffic("-in-process")
	until(t, s.out, func() bool { return strings.Contains(s.out.String(), "121 requests: 120 success, 1 error") })
	out := s.out.String()
	s.expectCommands()
	for _, want := range []string{"no Docker engine answers at unix:///nonexistent/docker.sock", "Nothing below is a container", "\r\x1b[K0 requests"} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "docker ps") {
		t.Errorf("there is no container to look at:\n%s", out)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

// What cannot run in an empty image is served in-process, with the reason.
func TestSaysWhyTheBinaryWillNotDo(t *testing.T) {
	engine := enginetest.Machine(t)
	t.Setenv("DOCKER_HOST", engine.Host)
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, reason := range map[string]string{"/bin/sh": "is not static", script: "is no Linux binary", "/nonexistent": "cannot read rgate's own binary"} {
		s := start(t, Options{Binary: path})
		if !strings.Contains(s.out.String(), reason) {
			t.Errorf("%s: the demo said:\n%s", path, s.out)
		}
		s.expectTraffic("-in-process")
		if err := s.end(); err != nil {
			t.Error(err)
		}
	}
}

func TestTakesAnotherPortWhereItsOwnIsTaken(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	port := taken.Addr().(*net.TCPAddr).Port
	s := start(t, Options{Port: port})
	if !strings.Contains(s.out.String(), fmt.Sprintf("Port %d is taken", port)) || strings.HasSuffix(s.url, fmt.Sprint(":", port)) {
		t.Errorf("the demo said:\n%s", s.out)
	}
	s.expectTraffic("-in-process")
}

func TestRefusesWhatItCannotWriteTo(t *testing.T) {
	for host, want := range map[string]string{"ssh://somewhere": "over ssh", "nonsense": "cannot use docker host", "tcp://127.0.0.1:1": "no Docker engine answers"} {
		t.Setenv("DOCKER_HOST", host)
		if _, err := openEngine(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", host, err, want)
		}
	}
}
