//go:build linux

package loop

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestShutdownLetsExchangesEnd(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	g := start(t, nil, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "late")
	}))
	quiet, busy := g.dial(), g.dial()
	_, _ = io.WriteString(busy, plainGet)
	<-arrived
	done := make(chan error, 1)
	go func() { done <- g.engine.Shutdown(context.Background(), 0) }()
	if b, err := io.ReadAll(quiet); err != nil || len(b) > 0 {
		t.Errorf("a quiet connection got %q, %v", b, err)
	}
	close(release)
	b, err := io.ReadAll(busy)
	if err != nil || !strings.Contains(string(b), "late") || !strings.Contains(string(b), "Connection: close") {
		t.Errorf("got %q, %v", b, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownCutsWhatTakesTooLong(t *testing.T) {
	arrived := make(chan struct{})
	g := start(t, nil, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	c := g.dial()
	_, _ = io.WriteString(c, plainGet)
	<-arrived
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := g.engine.Shutdown(ctx, 0); err == nil {
		t.Error("nothing was cut")
	}
	if b, _ := io.ReadAll(c); len(b) > 0 {
		t.Errorf("got %q", b)
	}
}

func TestForgetClosesIdleConnections(t *testing.T) {
	g := start(t, nil, script(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ""))
	c := g.dial()
	r := bufio.NewReader(c)
	_, _ = io.WriteString(c, plainGet)
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 200 {
		t.Fatal(err)
	}
	pools := make(chan int, 2)
	l := g.engine.loops[0]
	l.post(func() { pools <- len(l.pools) })
	g.engine.Forget(g.table.Endpoints()[0])
	l.post(func() { pools <- len(l.pools) })
	if before, after := <-pools, <-pools; before != 1 || after != 0 {
		t.Errorf("%d pools before, %d after", before, after)
	}
}

func TestAnswerIsCutAfterTheHeadOfAnHTTP10Client(t *testing.T) {
	g := start(t, nil, script(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"))
	c := g.dial()
	_, _ = io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	if b, err := io.ReadAll(c); err == nil {
		t.Errorf("a cut answer looks complete: %q", b)
	}
}

func TestStreamsAnswersAsTheyCome(t *testing.T) {
	next := make(chan struct{})
	g := start(t, nil, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			_, _ = io.WriteString(w, "part\n")
			w.(http.Flusher).Flush()
			<-next
		}
	}))
	c := g.dial()
	_, _ = io.WriteString(c, plainGet)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body := bufio.NewReader(res.Body)
	for range 3 {
		if line, err := body.ReadString('\n'); err != nil || line != "part\n" {
			t.Fatalf("got %q, %v", line, err)
		}
		next <- struct{}{}
	}
	if b, err := io.ReadAll(body); err != nil || len(b) > 0 {
		t.Errorf("got %q, %v", b, err)
	}
}
