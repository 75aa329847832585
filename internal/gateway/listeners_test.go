package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/upstream"
)

// naming is another engine: it answers with the name of the listener that a
// request came by.
type naming struct {
	over chan struct{}
	wg   sync.WaitGroup

	mu   sync.Mutex
	open map[*listen.Listener]*http.Server
}

func newNaming() *naming {
	return &naming{over: make(chan struct{}), open: map[*listen.Listener]*http.Server{}}
}

func (n *naming) Serve(listeners ...*listen.Listener) error {
	for _, l := range listeners {
		_ = n.Open(l)
	}
	<-n.over
	n.wg.Wait()
	return nil
}

func (n *naming) Open(l *listen.Listener) error {
	if l.Config().Name == "unlucky" {
		return errors.New("there is no luck today")
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "by %q", l.Config().Name)
	})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open[l] = s
	l.Attend()
	n.wg.Go(func() { defer l.Leave(); _ = s.Serve(l) })
	return nil
}

func (n *naming) Drain(l *listen.Listener, _ time.Duration) { n.Cut(l) }

func (n *naming) Cut(l *listen.Listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := n.open[l]; s != nil {
		_ = s.Close()
		delete(n.open, l)
	}
}

func (n *naming) Shutdown(context.Context, time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.open {
		_ = s.Close()
	}
	close(n.over)
	return nil
}

func (n *naming) size() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.open)
}

func (n *naming) Forget(*upstream.Endpoint) {}

// byNaming is a gateway with that engine.
func byNaming(t *testing.T, text string) *running {
	t.Helper()
	file := t.TempDir() + "/c.yml"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, Options{File: file, Config: cfg, Poll: time.Hour}, func(g *Gateway) {
		_ = g.engine.Shutdown(t.Context(), 0)
		g.engine = newNaming()
	})
}

// anyPort is listeners of these names, each on a free port.
func anyPort(names ...string) string {
	text := "listeners:\n"
	for _, name := range names {
		text += "  - {name: " + name + ", address: '127.0.0.1:0'}\n"
	}
	return text
}

// at is the address of a listener, once it is there.
func (r *running) at(name string) (address string) {
	r.t.Helper()
	said := regexp.MustCompile(`msg="rgate listens" listener=` + name + ` address=(\S+)`)
	r.eventually("it listens at "+name, func() bool {
		all := said.FindAllStringSubmatch(r.log.String(), -1)
		if len(all) > 0 {
			address = all[len(all)-1][1]
		}
		return len(all) > 0
	})
	return address
}

func (r *running) eventually(what string, done func() bool) {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("did not come about: %s; log:\n%s", what, r.log)
		}
	}
}

// asked is what is answered at an address, "" where nobody listens.
func asked(address string) string {
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("http://" + address)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

// Whatever moves the bytes, it gets each listener as it comes, and is told when
// one goes.
func TestListenersOfAnotherEngine(t *testing.T) {
	r := byNaming(t, anyPort("a"))
	a := r.at("a")
	if got := asked(r.Addr().String()) + asked(a); got != `by ""by "a"` {
		t.Fatalf("answered %s", got)
	}
	r.renew(anyPort("b") + "  - {name: renamed, address: '" + a + "'}\n")
	b := r.at("b")
	if got := asked(a) + asked(b); got != `by "renamed"by "b"` {
		t.Errorf("answered %s", got)
	}
	r.renew(anyPort("b"))
	r.eventually("nobody listens there any more", func() bool { return asked(a) == "" })
	if got := asked(b); got != `by "b"` {
		t.Errorf("answered %s", got)
	}
}

// Where one of the new listeners cannot be served none is, nor is anything else
// of the file in place.
func TestAListenerThatCannotBeServed(t *testing.T) {
	r := byNaming(t, anyPort("a"))
	r.at("a")
	r.write("stats: {details: true}\n" + anyPort("a", "b", "unlucky"))
	if _, err := r.Reload(); err == nil || !strings.Contains(err.Error(), "cannot serve the listener unlucky: there is no luck today") {
		t.Fatalf("%v", err)
	}
	if r.Table().Config.Stats.Details || r.RejectedReloads() != 1 {
		t.Errorf("some of it is in place:\n%s", r.log)
	}
	r.eventually("only what was there before is open", func() bool { return r.engine.(*naming).size() == 2 })
	r.renew("stats: {details: true}\n" + anyPort("a", "b"))
	if !r.Table().Config.Stats.Details || asked(r.at("b")) != `by "b"` {
		t.Error("a better file is not in place")
	}
}

// renew has a file in place.
func (r *running) renew(text string) {
	r.t.Helper()
	r.write(text)
	if _, err := r.Reload(); err != nil {
		r.t.Fatal(err)
	}
}

// While an upgrade is under way the listeners stay as the successor was told;
// where nothing comes of it, what is in the file by then counts.
func TestNoListenerComesDuringAnUpgrade(t *testing.T) {
	r := start(t, staticConfig(backend(t, "one")), nil)
	if _, sockets := r.bequeath(); len(sockets) != 1 || sockets[0].Name != "" {
		t.Errorf("%+v", sockets)
	}
	// Were the listener left open, it could not be opened again.
	r.write(staticConfig(backend(t, "two")) + "listeners: [{name: late, address: '" + ownAddress() + "'}]\n")
	if _, err := r.Reload(); !errors.Is(err, errUpgrading) {
		t.Fatalf("%v", err)
	}
	r.keepOn()
	if got := asked(r.at("late")); got != "two" {
		t.Errorf("answered %q", got)
	}
	if _, sockets := r.bequeath(); len(sockets) != 2 || sockets[1].Name != "late" {
		t.Errorf("%+v", sockets)
	}
	r.keepOn()
}

// A listener that goes can come back by the next reload.
func TestAListenerComesBack(t *testing.T) {
	for _, engine := range []string{"standard", "auto"} {
		t.Run(engine, func(t *testing.T) {
			without := "engine: " + engine + "\n" + staticConfig(backend(t, "one"))
			with := without + "listeners: [{name: back, address: '" + ownAddress() + "'}]\n"
			r := start(t, without, nil)
			for range 5 {
				r.renew(with)
				if got := asked(r.at("back")); got != "one" {
					t.Fatalf("answered %q", got)
				}
				r.renew(without)
				if got := asked(r.at("back")); got != "" {
					t.Errorf("answered %q though it is gone", got)
				}
			}
		})
	}
}

// ownAddress is one that nobody else listens on.
func ownAddress() string {
	return fmt.Sprintf("127.%d.%d.%d:9876", 7+rand.IntN(200), rand.IntN(256), 1+rand.IntN(254))
}

// What does not end in time at a listener that goes is cut.
func TestAListenerThatIsCut(t *testing.T) {
	began, leave := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(began); <-leave }))
	t.Cleanup(slow.Close)
	defer close(leave)
	text := staticConfig(slow.Listener.Addr().String()) + "drain_timeout: 50ms\n"
	r := start(t, text+anyPort("a"), nil)
	c, err := net.Dial("tcp", r.at("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-began
	r.renew(text)
	if b, err := io.ReadAll(c); len(b) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q %v", b, err)
	}
	if !strings.Contains(r.log.String(), "some exchanges of a listener were cut at the end of drain_timeout") {
		t.Errorf("the log does not say so:\n%s", r.log)
	}
}
