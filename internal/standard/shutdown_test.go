package standard

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/upstream"
)

func TestShutdown(t *testing.T) {
	t.Parallel()
	step, began := make(chan struct{}), make(chan struct{})
	r := start(t, nil, backend(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/idle" {
			return
		}
		close(began)
		<-step
	}))
	idle, busy := r.dial(), r.dial()
	busy.say("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-began
	idle.say("GET /idle HTTP/1.1\r\nHost: h\r\n\r\n")
	idle.response("GET")
	done := make(chan error)
	go func() { done <- r.Shutdown(context.Background(), 0) }()
	if _, err := idle.r.ReadByte(); err != io.EOF {
		t.Errorf("idle connection: %v", err)
	}
	r.eventually("nothing is accepted", func() bool {
		c, err := net.Dial("tcp", r.addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	close(step)
	if res, _ := busy.response("GET"); res.StatusCode != 200 || !res.Close {
		t.Errorf("in flight: %v", res)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownCuts(t *testing.T) {
	t.Parallel()
	heads := make(chan string, 1)
	r := start(t, nil, echoSocket(t, heads))
	p := r.dial()
	p.say(handshake)
	readHead(p.r)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.Shutdown(ctx, 0); err != context.DeadlineExceeded {
		t.Errorf("%v", err)
	}
	if _, err := io.Copy(io.Discard, p.r); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("the WebSocket lives: %v", err)
	}
}

// begin shuts r down and returns once it has begun.
func (r *rig) begin(ctx context.Context, linger time.Duration) <-chan error {
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(ctx, linger) }()
	r.eventually("nothing is accepted", func() bool {
		c, err := net.Dial("tcp", r.addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	return done
}

const plainGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

// A client cannot know that the gateway is about to end.
func TestShutdownAnswersWhatComesOnIdleConnections(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, hello))
	used, fresh := r.dial(), r.dial()
	used.say(plainGet)
	used.response("GET")
	r.eventually("both are accepted", func() bool {
		r.crowd.mu.Lock()
		defer r.crowd.mu.Unlock()
		return len(r.crowd.conns) == 2
	})
	done := r.begin(t.Context(), time.Hour)
	used.say(plainGet)
	fresh.say("GET /stats HTTP/1.1\r\nHost: h\r\n\r\n")
	for p, want := range map[*peer]string{used: "hello ", fresh: "statistics"} {
		if res, text := p.response("GET"); res.StatusCode != 200 || text != want || !res.Close {
			t.Errorf("%d %q, closes %v", res.StatusCode, text, res.Close)
		}
		if _, err := p.r.ReadByte(); err != io.EOF {
			t.Errorf("after the answer: %v", err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownLingers(t *testing.T) {
	t.Parallel()
	const linger = 300 * time.Millisecond
	r := start(t, nil, backend(t, hello))
	p := r.dial()
	p.say(plainGet)
	p.response("GET")
	began := time.Now()
	done := r.begin(t.Context(), linger)
	if _, err := p.r.ReadByte(); err != io.EOF || time.Since(began) < linger {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// An answer whose head was out when the shutdown began could not say that the
// connection ends: the next request on it counts as well.
func TestShutdownLingersAfterAnswersUnderWay(t *testing.T) {
	t.Parallel()
	step := make(chan struct{}, 1)
	r := start(t, nil, backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		<-step
	}))
	p := r.dial()
	p.say(plainGet)
	res, err := http.ReadResponse(p.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := r.begin(t.Context(), 0)
	step <- struct{}{}
	if _, err := io.ReadAll(res.Body); err != nil || res.Close {
		t.Errorf("the answer ends with %v, closes %v", err, res.Close)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// late is a listener that is slow to accept.
type late struct {
	*net.TCPListener
	from chan struct{}
}

func (l late) Accept() (net.Conn, error) {
	<-l.from
	return l.TCPListener.Accept()
}

func TestShutdownServesWhoWaitsToBeAccepted(t *testing.T) {
	t.Parallel()
	r := start(t, nil, backend(t, hello))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	slow := late{l.(*net.TCPListener), make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- r.Serve(listen.New(slow, config.Listener{})) }()
	r.addr = l.Addr().String()
	r.eventually("it is known", func() bool {
		r.doors.mu.Lock()
		defer r.doors.mu.Unlock()
		return len(r.doors.open) == 2
	})
	var all []*peer
	for range 20 {
		p := r.dial()
		p.say(plainGet)
		all = append(all, p)
	}
	done := make(chan error, 1)
	go func() { done <- r.Shutdown(t.Context(), time.Minute) }()
	r.eventually("it drains", func() bool {
		r.doors.mu.Lock()
		defer r.doors.mu.Unlock()
		return r.doors.closed && r.doors.open[1].patience.Load() > 0
	})
	close(slow.from)
	for _, p := range all {
		if res, text := p.response("GET"); res.StatusCode != 200 || text != "hello " || !res.Close {
			t.Fatalf("%d %q", res.StatusCode, text)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if again, _ := net.Listen("tcp", "127.0.0.1:0"); r.Serve(listen.New(again, config.Listener{})) != nil {
		t.Error("an engine that was shut down does not return at once")
	}
}

// More and more may come: that must not keep rgate from ending.
func TestPatienceWithTheQueueEnds(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &door{Listener: listen.New(tcp, config.Listener{}), closed: make(chan struct{})}
	defer l.Close()
	c, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for !sightOf(tcp).waiting() {
		time.Sleep(time.Millisecond)
	}
	l.patience.Store(upstream.Clock(time.Now().Add(time.Hour)))
	if !l.goOn(os.ErrDeadlineExceeded) {
		t.Error("a connection that waits is left")
	}
	l.patience.Store(1)
	for n := 0; l.goOn(os.ErrDeadlineExceeded); n++ {
		if n > backlog {
			t.Fatal("the queue is drained for ever")
		}
	}
	if _, err := tcp.Accept(); err != nil {
		t.Fatal(err)
	}
	l.late = 0
	if l.goOn(os.ErrDeadlineExceeded) {
		t.Error("it goes on though nothing waits")
	}
}

// A WebSocket is used to the last moment, whatever else ends.
func TestShutdownGivesWebSocketsAllTheTime(t *testing.T) {
	t.Parallel()
	heads := make(chan string, 1)
	r := start(t, nil, echoSocket(t, heads))
	p := r.dial()
	p.say(handshake)
	readHead(p.r)
	echo := func(word string) {
		t.Helper()
		p.say("%s", word)
		got := make([]byte, len(word))
		if _, err := io.ReadFull(p.r, got); err != nil || string(got) != word {
			t.Fatalf("%q %v", got, err)
		}
	}
	_, _ = p.r.Discard(len("first"))
	ctx, cut := context.WithCancel(t.Context())
	done := r.begin(ctx, 0)
	for range 10 {
		echo("still here")
		time.Sleep(10 * time.Millisecond) // many rounds of the closing of quiet connections
	}
	cut()
	if err := <-done; err != context.Canceled {
		t.Errorf("%v", err)
	}
	if _, err := io.Copy(io.Discard, p.r); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("the WebSocket lives: %v", err)
	}
}
