package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"go.uber.org/goleak"

	"rgate/internal/discovery"
	"rgate/internal/enginetest"
	"rgate/internal/trial"
)

func TestMain(m *testing.M) {
	if socket := os.Getenv("RGATE_TEST_DIAL_STDIO"); socket != "" {
		dialStdio(socket)
		return
	}
	goleak.VerifyTestMain(m)
}

// dialStdio plays `docker system dial-stdio` for the ssh test.
func dialStdio(socket string) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() { _, _ = io.Copy(conn, os.Stdin) }()
	_, _ = io.Copy(os.Stdout, conn)
}

// logged collects what is logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

func nothingSet(string) string { return "" }

// hangs is after how long what does not answer is said to hang. What answers is
// quicker by far, but not where a busy machine lets nobody run.
const hangs = 2 * time.Second

// fast is a timing for faults that would take longer otherwise.
func fast() timing {
	t := usualTiming()
	t.patience, t.settled, t.backoff, t.ceiling = hangs, 100*time.Millisecond, 10*time.Millisecond, 40*time.Millisecond
	t.dial, t.first, t.inspect = hangs, hangs, hangs
	return t
}

func open(t *testing.T, host string, timing timing) (*Engine, *logged) {
	t.Helper()
	log := &logged{}
	e, err := Open(Options{Host: host, Env: nothingSet, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	e.timing = timing
	return e, log
}

// watched is a running Watch.
type watching struct {
	t      *testing.T
	source *Source
	views  chan discovery.View
	last   discovery.View
	cancel context.CancelFunc
	done   chan struct{}
}

// watchIt runs a Watch until the test ends.
func watchIt(t *testing.T, e *Engine, sel ...discovery.Selector) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watching{t: t, source: e.Source(sel), views: make(chan discovery.View, 10000), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		_ = w.source.Watch(ctx, func(v discovery.View) { w.views <- v })
	}()
	t.Cleanup(w.stop)
	return w
}

func (w *watching) stop() {
	w.cancel()
	<-w.done
}

// await waits for a view that satisfies a condition.
func (w *watching) await(what string, within time.Duration, ok func(discovery.View) bool) discovery.View {
	w.t.Helper()
	deadline := time.After(within)
	for {
		select {
		case w.last = <-w.views:
			if ok(w.last) {
				return w.last
			}
		case <-deadline:
			w.t.Fatalf("no view within %v: %s; the last was %s", within, what, show(w.last))
		}
	}
}

// none wants no view for a while.
func (w *watching) none(d time.Duration) {
	w.t.Helper()
	select {
	case v := <-w.views:
		w.t.Fatalf("unexpected view %s", show(v))
	case <-time.After(d):
	}
}

func show(v discovery.View) string {
	lines := []string{fmt.Sprintf("stale=%q", v.Stale)}
	for _, c := range v.Candidates {
		lines = append(lines, fmt.Sprintf("%s/%s %s %q", c.Backend, c.Name, c.Address, c.Reason))
	}
	return strings.Join(lines, "; ")
}

// usable are the names of the containers that take requests.
func usable(names ...string) func(discovery.View) bool {
	return func(v discovery.View) bool {
		got := []string{}
		for _, c := range v.Candidates {
			if c.Usable() {
				got = append(got, c.Name)
			}
		}
		return slices.Equal(got, names) || len(got)+len(names) == 0
	}
}

// reason wants a container left out for a reason that contains a text.
func reason(name, text string) func(discovery.View) bool {
	return func(v discovery.View) bool {
		return slices.ContainsFunc(v.Candidates, func(c discovery.Candidate) bool {
			return c.Name == name && !c.Usable() && strings.Contains(c.Reason, text)
		})
	}
}

func both(a, b func(discovery.View) bool) func(discovery.View) bool {
	return func(v discovery.View) bool { return a(v) && b(v) }
}

func app(name string) discovery.Selector {
	return discovery.Selector{Backend: name, Labels: []discovery.Label{{Key: "app", Value: name}}, Address: discovery.AddressAuto}
}

// listen is a port of 127.0.0.1 that accepts, and that nobody else has once it
// is closed.
func listen(t *testing.T) (net.Listener, int) {
	t.Helper()
	port := trial.Port(t)
	l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, port
}

// fakeContainer has the address 127.0.0.1, so its port is one of the test's.
func fakeContainer(name, label string, port int) enginetest.FakeContainer {
	return enginetest.FakeContainer{
		ID: fmt.Sprintf("%064x", name), Name: name, Labels: map[string]string{"app": label},
		Networks: map[string]string{"bridge": "127.0.0.1"}, Ports: []container.PortSummary{{PrivatePort: uint16(port), Type: "tcp"}},
		Started: time.Now(), Created: time.Unix(1000, 0),
	}
}
