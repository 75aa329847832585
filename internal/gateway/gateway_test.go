package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/proxy"
)

func TestServesAndCounts(t *testing.T) {
	r := start(t, staticConfig(backend(t, "one"))+"stats: {details: true}\n", nil)
	if status, body := r.get("/x"); status != 200 || body != "one" {
		t.Fatalf("got %d %q", status, body)
	}
	if status, body := r.get("/stats"); status != 200 || !strings.Contains(body, `"success": 1`) {
		t.Fatalf("stats: %d %s", status, body)
	}
	for _, by := range []string{"route", "backend", "endpoint"} {
		if status, body := r.get("/stats?by=" + by); status != 200 || !strings.Contains(body, `"success": 1`) || !strings.Contains(body, "only") {
			t.Errorf("by %s: %d %s", by, status, body)
		}
	}
	if status, _ := r.get("/stats?by=colour"); status != 400 {
		t.Errorf("an unknown by: %d", status)
	}
	if got := r.Report().Requests.Success; got != 1 {
		t.Errorf("the statistics page counted itself: %d", got)
	}
}

// Nobody has to find out under load that there are fewer descriptors than
// connections.
func TestSaysWhereDescriptorsAreFew(t *testing.T) {
	for _, limit := range []int{1, math.MaxInt32} {
		r := start(t, fmt.Sprintf("limits: {connections: %d}\n", limit), nil)
		until(t, "it serves", func() bool { return strings.Contains(r.log.String(), "rgate serves") })
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		if said := strings.Contains(r.log.String(), "limit of open files"); said != (proxy.Room(limit) < limit) {
			t.Errorf("connections %d, room for %d: said so is %v", limit, proxy.Room(limit), said)
		}
	}
}

func TestReloadWhenTheFileChanges(t *testing.T) {
	one, two := backend(t, "one"), backend(t, "two")
	r := start(t, staticConfig(one), nil)
	r.get("/")
	r.write(staticConfig(two))
	until(t, "the new backend answers", func() bool { _, body := r.get("/"); return body == "two" })
	// The second one is counted after it is answered.
	until(t, "counters survive the reload", func() bool { return r.Report().Requests.Success >= 2 })
}

func TestABadFileKeepsTheRunningTable(t *testing.T) {
	r := start(t, staticConfig(backend(t, "one")), nil)
	r.write("routes: [{path_prefix: nowhere, backend: missing}]\n")
	until(t, "the bad file is seen", func() bool { return r.RejectedReloads() > 0 })
	if status, body := r.get("/"); status != 200 || body != "one" {
		t.Fatalf("got %d %q", status, body)
	}
	if _, err := r.Reload(); err == nil || !strings.Contains(err.Error(), "config.yml:1") {
		t.Errorf("Reload of a bad file: %v", err)
	}
	for _, want := range []string{"nowhere", "missing", "the running one stays"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if _, body := r.command("GET", "/routes"); !strings.Contains(body, fmt.Sprintf(`"rejected_reloads": %d`, r.RejectedReloads())) {
		t.Errorf("routes do not count it: %s", body)
	}
	if status, body := r.command("POST", "/reload"); status != 422 || !strings.Contains(body, "nowhere") {
		t.Errorf("reload by command: %d %s", status, body)
	}
}

func TestAChangeThatNeedsARestartSaysSo(t *testing.T) {
	address := backend(t, "one")
	r := start(t, staticConfig(address), nil)
	r.write(staticConfig(address) + "listen: 127.0.0.1:1\n")
	until(t, "the log says restart", func() bool {
		return strings.Contains(r.log.String(), "restart") && strings.Contains(r.log.String(), "listen")
	})
	for range 2 { // it does so until there is one
		if note, err := r.Reload(); err != nil || note != "only a restart puts these keys in effect: listen" {
			t.Errorf("%q %v", note, err)
		}
	}
	r.write(staticConfig(address))
	if note, err := r.Reload(); err != nil || note != "" {
		t.Errorf("once it is taken back: %q %v", note, err)
	}
}

func TestReloadsDropNoRequest(t *testing.T) {
	address := backend(t, "one")
	r := start(t, staticConfig(address), nil)
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	var failed, conns sync.Map
	for range 4 {
		clients.Go(func() {
			transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, addr)
				conns.Store(conn, true)
				return conn, err
			}}
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				request, _ := http.NewRequest("GET", "http://"+r.Addr().String()+"/", nil)
				response, err := transport.RoundTrip(request)
				if err != nil {
					failed.Store(err.Error(), true)
					continue
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if response.StatusCode != 200 {
					failed.Store(response.Status, true)
				}
			}
		})
	}
	for i := range 100 {
		r.write(staticConfig(address) + fmt.Sprintf("default_response: {status_code: 404, body: \"%d\"}\n", i))
		if _, err := r.Reload(); err != nil {
			t.Error(err)
		}
	}
	cancel()
	clients.Wait()
	failed.Range(func(what, _ any) bool { t.Errorf("a reload cost a request: %v", what); return true })
	n := 0
	conns.Range(func(_, _ any) bool { n++; return true })
	if n != 4 {
		t.Errorf("a reload cost a connection: 4 clients dialled %d times", n)
	}
}

func view(address, reason string) discovery.View {
	return discovery.View{Source: "fake", Candidates: []discovery.Candidate{
		{Backend: "only", ID: "0123456789abcdef", Name: "payment-1", Address: address, Reason: reason, Weight: 1},
	}}
}

const labelled = "routes:\n  - {path_prefix: /, backend: only}\nbackends:\n  - {name: only, match_labels: [app=x]}\n"

func TestViewsBecomeEndpoints(t *testing.T) {
	source := newFakeSource()
	r := start(t, labelled, source)
	if got := source.selected(); len(got) != 1 || got[0].Labels[0].String() != "app=x" {
		t.Fatalf("selectors: %v", got)
	}
	if status, _ := r.get("/"); status != 503 {
		t.Errorf("without endpoints: %d", status)
	}
	if status, _ := r.command("GET", "/readyz"); status != 503 {
		t.Errorf("ready before a first view: %d", status)
	}
	address := backend(t, "one")
	source.views <- view(address, "")
	until(t, "the container answers", func() bool { status, _ := r.get("/"); return status == 200 })
	until(t, "ready", func() bool { status, _ := r.command("GET", "/readyz"); return status == 200 })

	if status, _ := r.command("POST", "/drain?container=payment-1"); status != 200 {
		t.Fatalf("drain: %d", status)
	}
	if status, _ := r.get("/"); status != 503 {
		t.Errorf("a drained endpoint answered: %d", status)
	}
	if _, body := r.command("GET", "/routes"); !strings.Contains(body, "drained by hand") {
		t.Errorf("routes do not show the drain: %s", body)
	}
	if status, _ := r.command("POST", "/undrain?container=0123456789ab"); status != 200 {
		t.Fatalf("undrain: %d", status)
	}
	if status, _ := r.get("/"); status != 200 {
		t.Errorf("an undrained endpoint answered %d", status)
	}
	if status, _ := r.command("POST", "/drain?container=nobody"); status != 404 {
		t.Errorf("drain of nobody: %d", status)
	}
	if status, _ := r.command("GET", "/healthz"); status != 200 {
		t.Errorf("healthz: %d", status)
	}

	source.views <- view(address, "paused")
	until(t, "the paused container takes nothing", func() bool { status, _ := r.get("/"); return status == 503 })
	if _, body := r.command("GET", "/routes"); !strings.Contains(body, "paused") {
		t.Errorf("routes do not show the reason: %s", body)
	}
}

func TestTheEndWaitsForWhatIsInFlight(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		fmt.Fprint(w, "done")
	}))
	t.Cleanup(slow.Close)
	r := start(t, staticConfig(slow.Listener.Addr().String()), nil)
	answer := make(chan string, 1)
	go func() { _, body := r.get("/"); answer <- body }()
	<-entered
	ended := make(chan error, 1)
	go func() { ended <- r.stop() }()
	until(t, "not ready while it drains", func() bool { return r.Ready() != nil })
	close(leave)
	if body := <-answer; body != "done" {
		t.Errorf("the request in flight got %q", body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := r.Reload(); err == nil {
		t.Error("a gateway that ended reloads")
	}
}

func TestHealthProbesDecide(t *testing.T) {
	var mu sync.Mutex
	well := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/healthz" && !well {
			w.WriteHeader(500)
		}
	}))
	t.Cleanup(s.Close)
	r := start(t, staticConfig(s.Listener.Addr().String())+"health: {path: /healthz, interval: 20ms, timeout: 1s}\n", nil)
	if status, _ := r.get("/"); status != 503 {
		t.Errorf("before a probe passed: %d", status)
	}
	set := func(v bool) { mu.Lock(); defer mu.Unlock(); well = v }
	set(true)
	until(t, "probes pass", func() bool { status, _ := r.get("/"); return status == 200 })
	set(false)
	until(t, "probes fail", func() bool { status, _ := r.get("/"); return status == 503 })
	r.write(staticConfig(s.Listener.Addr().String()))
	until(t, "no health section, no probes", func() bool { status, _ := r.get("/"); return status == 200 })
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg, err := config.Parse("config.yml", []byte(staticConfig("127.0.0.1:1")), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(Options{Config: cfg, Listen: taken.Addr().String(), Source: newFakeSource()})
	if err == nil || !strings.Contains(err.Error(), "--port") {
		t.Errorf("a taken port: %v", err)
	}
	bad := *cfg
	bad.Docker.Host = "carrier-pigeon://loft"
	if _, err = New(Options{Config: &bad, Listen: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "carrier-pigeon") {
		t.Errorf("a docker host of no known kind: %v", err)
	}
}

func TestASocketThatAnswersIsNotTaken(t *testing.T) {
	r := start(t, staticConfig("127.0.0.1:1"), nil)
	cfg := r.Table().Config
	log := &logBook{}
	second, err := New(Options{Config: cfg, Listen: "127.0.0.1:0", Socket: r.socket.Addr().String(), Source: newFakeSource(), Log: newLog(log)})
	if err != nil {
		t.Fatal(err)
	}
	defer second.first.Close()
	if second.socket != nil || !strings.Contains(log.String(), "another rgate answers there") {
		t.Errorf("the socket of a living gateway was taken; log: %s", log)
	}
	if _, err := second.Reload(); err == nil {
		t.Error("a gateway without a file reloads")
	}
}

// A gateway that is started while the one before drains gets the admin socket
// once that one lets go of it, and removes it in the end.
func TestTheAdminSocketIsTakenOnceItIsFree(t *testing.T) {
	first := start(t, staticConfig("127.0.0.1:1"), nil)
	path := first.socket.Addr().String()
	until(t, "the first one serves", first.serving)
	second := run(t, Options{Config: first.Table().Config, Socket: path}, func(g *Gateway) { g.socketRetry = 5 * time.Millisecond })
	until(t, "the second one serves", second.serving)
	if second.adminSocket() != nil {
		t.Fatal("it took the socket of a living gateway")
	}
	if err := first.stop(); err != nil {
		t.Error(err)
	}
	until(t, "the second one has the socket", func() bool { return second.adminSocket() != nil })
	if status, _ := second.command("GET", "/healthz"); status != 200 {
		t.Errorf("a command gets %d", status)
	}
	if n := strings.Count(second.log.String(), "do not reach this gateway"); n != 1 {
		t.Errorf("it says %d times that it has none", n)
	}
	if err := second.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is still there")
	}
}

// What is at the socket's path in the end may be another's: another gateway that
// came after the socket was removed, or a file.
func TestOnlyItsOwnSocketIsRemoved(t *testing.T) {
	first := start(t, staticConfig("127.0.0.1:1"), nil)
	until(t, "the first one serves", first.serving)
	path := first.adminSocket().Addr().String()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second := run(t, Options{Config: first.Table().Config, Socket: path}, nil)
	until(t, "the second one serves", second.serving)
	if err := first.stop(); err != nil {
		t.Error(err)
	}
	if status, _ := second.command("GET", "/healthz"); status != 200 {
		t.Errorf("the second one's command gets %d", status)
	}
	if err := errors.Join(os.Remove(path), os.WriteFile(path, []byte("mine"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := second.stop(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("the file that is no socket is gone: %v", err)
	}
}

func TestADeadSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	dead.Close()
	cfg, err := config.Parse("config.yml", []byte(staticConfig("127.0.0.1:1")), nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Options{Config: cfg, Listen: "127.0.0.1:0", Socket: path, Source: newFakeSource()})
	if err != nil {
		t.Fatal(err)
	}
	defer g.first.Close()
	if g.socket == nil {
		t.Fatal("the socket of a dead process was not replaced")
	}
	g.socket.Close()
}

// The event loop serves the same gateway; what it cannot do goes behind it.
func TestTheLoopServesToo(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the loop is for Linux")
	}
	address := backend(t, "one")
	r := start(t, staticConfig(address)+"engine: loop\n", nil)
	for range 10 {
		if status, body := r.get("/x"); status != 200 || body != "one" {
			t.Fatalf("got %d %q", status, body)
		}
	}
	if status, body := r.get("/stats"); status != 200 || !strings.Contains(body, `"success": 10`) {
		t.Fatalf("the page that is handed over: %d %s", status, body)
	}
	r.write(staticConfig(backend(t, "two")) + "engine: loop\n")
	until(t, "the new backend answers", func() bool { _, body := r.get("/"); return body == "two" })
}
