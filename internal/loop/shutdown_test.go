//go:build linux

package loop

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rgate/internal/config"
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

// serving answers a request on c, and tells whether c ends with it.
func serving(t *testing.T, c net.Conn) (last bool) {
	t.Helper()
	res := get(t, c, plainGet)
	if res.StatusCode != 200 {
		t.Fatal(res.StatusCode)
	}
	return res.Close
}

func TestShutdownKeepsIdleClientsForTheLinger(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	fresh, kept, silent := g.dial(), g.dial(), g.dial()
	if serving(t, kept) || serving(t, silent) {
		t.Fatal("closed too early")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.engine.Shutdown(ctx, time.Hour) }()
	for !g.engine.stopping.Load() {
		runtime.Gosched()
	}
	for name, c := range map[string]net.Conn{"fresh": fresh, "kept": kept} {
		if !serving(t, c) {
			t.Errorf("a %s connection was not told that it ends", name)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("a %s connection did not end: %v", name, err)
		}
	}
	select {
	case <-done:
		t.Error("a silent client was not waited for")
	default:
	}
	cancel()
	<-done
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("a silent client got something")
	}
}

func TestShutdownClosesSilentClientsAfterTheLinger(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	fresh, kept := g.dial(), g.dial()
	serving(t, kept)
	if err := g.engine.Shutdown(context.Background(), 300*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{fresh, kept} {
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %v", err)
		}
	}
}

func TestShutdownAnswersWhoStillWaitsToBeAccepted(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	resume := make(chan struct{})
	g.engine.loops[0].post(func() { <-resume })
	var waiting []net.Conn
	for range 50 {
		c := g.dial()
		if _, err := io.WriteString(c, plainGet); err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, c)
	}
	done := make(chan error, 1)
	go func() { done <- g.engine.Shutdown(context.Background(), 0) }()
	for !g.engine.stopping.Load() {
		runtime.Gosched()
	}
	close(resume)
	for i, c := range waiting {
		if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != 200 {
			t.Fatal(i, err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestShutdownLeavesTheSocketToOthers has two engines accept from one socket,
// as two processes do after an upgrade, and ends the first.
func TestShutdownLeavesTheSocketToOthers(t *testing.T) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := first.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.FileListener(f)
	_ = f.Close()
	if err != nil {
		t.Fatal(err)
	}
	old := startOn(t, first, nil, serve(t, hello))
	heir := startOn(t, l, nil, serve(t, hello))
	done := make(chan error, 1)
	for i := range 300 {
		if i == 100 {
			go func() { done <- old.engine.Shutdown(context.Background(), time.Minute) }()
		}
		c := heir.dial()
		serving(t, c)
		_ = c.Close()
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

// TestShutdownWaitsForWhatIsHandedOver: the last connection of a loop may be one
// that nobody has accepted yet.
func TestShutdownWaitsForWhatIsHandedOver(t *testing.T) {
	behind := NewHanded(nil)
	var given atomic.Bool
	g := start(t, func(_ *config.Config, o *Options) {
		o.HandOver = func(c net.Conn) {
			given.Store(true)
			behind.Give(c)
		}
	}, serve(t, hello))
	c := g.dial()
	_, _ = io.WriteString(c, upgradingGet)
	for !given.Load() {
		runtime.Gosched()
	}
	done := make(chan error, 1)
	go func() {
		err := g.engine.Shutdown(context.Background(), 0)
		_ = behind.Close() // as soon as nothing more can come
		done <- err
	}()
	for !g.engine.stopping.Load() {
		runtime.Gosched()
	}
	g.engine.loops[0].wait()
	h, err := behind.Accept()
	if err != nil {
		t.Fatal("the connection was dropped:", err)
	}
	defer h.Close()
	if got := readHead(bufio.NewReader(h)); got != upgradingGet {
		t.Errorf("got %q", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// wait waits until l has ended.
func (l *loop) wait() {
	for {
		l.mu.Lock()
		ended := l.ended
		l.mu.Unlock()
		if ended {
			return
		}
		runtime.Gosched()
	}
}
