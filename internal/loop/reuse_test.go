//go:build linux

package loop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/route"
)

// What an endpoint says on an idle connection in the very turn of the loop in
// which a client asks, and after it, must not become that client's answer.
func TestAnEndpointThatSpeaksAsAClientAsks(t *testing.T) {
	conns := make(chan net.Conn, 10)
	g := start(t, nil, raw(t, func(c net.Conn, in *bufio.Reader) {
		conns <- c
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(r.URL.Path), r.URL.Path)
		}
	}))
	client := g.dial()
	ask := func(path string) { fmt.Fprintf(client, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path) }
	in := bufio.NewReader(client)
	answer := func(path string) {
		t.Helper()
		response, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(response.Body); string(body) != path {
			t.Errorf("%s got %d %q", path, response.StatusCode, body)
		}
	}
	var endpoint net.Conn
	for i := range 20 {
		ask(fmt.Sprintf("/warm-%d", i))
		answer(fmt.Sprintf("/warm-%d", i))
		for len(conns) > 0 {
			endpoint = <-conns // the latest is the one that is idle
		}
		busy, free := make(chan struct{}), make(chan struct{})
		g.engine.loops[0].post(func() { close(busy); <-free })
		<-busy
		path := fmt.Sprintf("/asked-%d", i)
		ask(path) // first, so that its event comes first
		_, _ = io.WriteString(endpoint, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 7\r\n\r\nunasked")
		close(free)
		answer(path)
	}
}

// Endpoints that are forgotten with exchanges on them leave nothing behind.
func TestForgottenEndpointsLeaveNothing(t *testing.T) {
	addr := serve(t, hello)
	g := start(t, nil, addr)
	gate := g.engine.gate
	cfg := config.Default()
	cfg.Backends = []config.Backend{{Name: "b", Scheme: "http", Traffic: cfg.Traffic}}
	cfg.Routes = []config.Route{{PathPrefix: "/", Backend: "b", Match: config.MatchLiteral}}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for c := g.dial(); ; {
				select {
				case <-stop:
					return
				default:
				}
				get(t, c, plainGet)
			}
		})
	}
	for i := range 200 {
		prev := gate.Table()
		view := discovery.View{Candidates: []discovery.Candidate{{Backend: "b", ID: fmt.Sprint(i), Name: fmt.Sprint(i), Address: addr, Weight: 1}}}
		gate.Swap(route.Build(cfg, []discovery.View{view}, prev))
		for _, e := range prev.Endpoints() {
			e.Drain()
			g.engine.Forget(e) // at once, as with drain_timeout: 0
		}
		time.Sleep(time.Millisecond) // some requests reach each
	}
	close(stop)
	clients.Wait()
	pools := make(chan int)
	g.engine.loops[0].post(func() { pools <- len(g.engine.loops[0].pools) })
	if n := <-pools; n > 1 {
		t.Errorf("%d pools are left of 200 endpoints that went", n-1)
	}
}
