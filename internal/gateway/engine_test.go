package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rgate/internal/docker"
	"rgate/internal/enginetest"
)

// onEngine starts a gateway on the real engine for containers with a label of
// this test's own.
func onEngine(t *testing.T, engine *enginetest.Engine, extra string) (*running, map[string]string) {
	t.Helper()
	label := enginetest.Unique()
	text := fmt.Sprintf("routes:\n  - {path_prefix: /, backend: app}\nbackends:\n  - {name: app, match_labels: [rgate.e2e=%s]}\n%s", label, extra)
	source, err := docker.Open(docker.Options{Host: engine.Host})
	if err != nil {
		t.Fatal(err)
	}
	return start(t, text, source.Source(nil)), map[string]string{"rgate.e2e": label}
}

// quickly bounds what takes well under a second, as the log shows. It leaves
// room for an engine that is slow itself because the machine is busy.
const quickly = 15 * time.Second

// From `docker run` to the first answer, and from `docker stop` to the last
// attempt.
func TestContainersComeAndGoQuickly(t *testing.T) {
	engine := enginetest.Machine(t)
	image := engine.Build(t, enginetest.Image{})
	r, labels := onEngine(t, engine, "")
	if status, _ := r.get("/"); status != 503 {
		t.Fatalf("before any container: %d", status)
	}
	c := engine.Run(t, enginetest.RunOptions{Image: image, Labels: labels})
	began := time.Now()
	until(t, "the container answers", func() bool { status, _ := r.get("/"); return status == 200 })
	if took := time.Since(began); took > quickly {
		t.Errorf("first answer %v after docker run", took)
	} else {
		t.Logf("first answer %v after docker run", took)
	}
	began = time.Now()
	gone := make(chan time.Duration, 1)
	go func() {
		for len(r.Table().Endpoints()) > 0 {
			time.Sleep(time.Millisecond)
		}
		gone <- time.Since(began)
	}()
	c.Stop(5 * time.Second)
	if took := <-gone; took > quickly {
		t.Errorf("still an endpoint %v after docker stop began", took)
	} else {
		t.Logf("no endpoint any more %v after docker stop began", took)
	}
	if status, _ := r.get("/"); status != 503 {
		t.Errorf("after the stop: %d", status)
	}
}

// Containers are replaced one by one under load: no GET is lost. A POST that a
// dying process had accepted may be: it must not be sent twice.
func TestARollingReplacementLosesNothing(t *testing.T) {
	engine := enginetest.Machine(t)
	image := engine.Build(t, enginetest.Image{})
	r, labels := onEngine(t, engine, "")
	var fleet []*enginetest.Container
	for range 3 {
		fleet = append(fleet, engine.Run(t, enginetest.RunOptions{Image: image, Labels: labels}))
	}
	until(t, "three endpoints", func() bool { return len(r.Table().Endpoints()) == 3 })

	var sent atomic.Int64
	var failures sync.Map
	done := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 1}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-done:
					return
				default:
				}
				sent.Add(1)
				response, err := send(client, i, "http://"+r.Addr().String()+"/echo")
				if err != nil {
					failures.Store(err.Error(), i)
				} else if response != 200 && (i < 2 || response != http.StatusBadGateway) {
					failures.Store(fmt.Sprint(response), i)
				}
			}
		})
	}
	for _, old := range fleet {
		before := len(r.Table().Endpoints())
		engine.Run(t, enginetest.RunOptions{Image: image, Labels: labels})
		until(t, "the new one takes part", func() bool { return len(r.Table().Endpoints()) == before+1 })
		old.Stop(5 * time.Second)
		old.Remove()
	}
	close(done)
	clients.Wait()
	failures.Range(func(what, who any) bool { t.Errorf("client %v: %v", who, what); return true })
	t.Logf("%d requests, log:\n%s", sent.Load(), r.log)
}

// send sends GETs and small POSTs in turn and reads the whole answer.
func send(client *http.Client, i int, url string) (int, error) {
	var response *http.Response
	var err error
	if i < 2 {
		response, err = client.Get(url)
	} else {
		response, err = client.Post(url, "text/plain", strings.NewReader("some words"))
	}
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// The engine restarts: traffic to the containers that live goes on.
func TestTheEngineGoesAndComesBack(t *testing.T) {
	engine := enginetest.Private(t, enginetest.PrivateOptions{LiveRestore: true})
	image := engine.Build(t, enginetest.Image{})
	r, labels := onEngine(t, engine, "")
	engine.Run(t, enginetest.RunOptions{Image: image, Labels: labels})
	until(t, "the container answers", func() bool { status, _ := r.get("/"); return status == 200 })
	engine.Stop(t)
	until(t, "the view is known to be stale", func() bool { return r.Table().Stale() != "" })
	for range 50 {
		if status, _ := r.get("/"); status != 200 {
			t.Fatalf("while the engine is away: %d", status)
		}
	}
	engine.Start(t)
	until(t, "the view is fresh again", func() bool { return r.Table().Stale() == "" })
	engine.Run(t, enginetest.RunOptions{Image: image, Labels: labels})
	until(t, "a container started after the restart takes part", func() bool { return len(r.Table().Endpoints()) == 2 })
}

// Without an engine the gateway starts and answers 503 until one comes.
func TestStartsWithoutAnEngine(t *testing.T) {
	source, err := docker.Open(docker.Options{Host: "unix:///nonexistent/docker.sock"})
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, labelled, source.Source(nil))
	until(t, "the log says how to mend it", func() bool { return r.Table().Stale() != "" })
	if status, _ := r.get("/"); status != 503 {
		t.Errorf("without an engine: %d", status)
	}
}
