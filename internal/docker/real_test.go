package docker

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rgate/internal/discovery"
	"rgate/internal/enginetest"
	"rgate/internal/trial"
)

// rig is a real engine with an image of the test server, and a label of its
// own, so that tests do not see each other's containers.
type rig struct {
	t     *testing.T
	real  *enginetest.Engine
	image string
	app   string
}

func (r rig) run(t *testing.T, o enginetest.RunOptions) *enginetest.Container {
	t.Helper()
	if o.Image == "" {
		o.Image = r.image
	}
	o.Labels = map[string]string{"app": r.app}
	if o.Expose == nil {
		o.Expose = []string{"8080"}
	}
	return r.real.Run(t, o)
}

func (r rig) watch(t *testing.T, change func(*discovery.Selector)) (*watching, *logged) {
	t.Helper()
	e, log := open(t, r.real.Host, usualTiming())
	s := app(r.app)
	if change != nil {
		change(&s)
	}
	return watchIt(t, e, s), log
}

func at(name, addr string) func(discovery.View) bool {
	return func(v discovery.View) bool {
		for _, c := range v.Candidates {
			if c.Name == name && c.Usable() {
				return c.Address == addr
			}
		}
		return false
	}
}

// long is for what the engine itself takes its time to do on a busy machine.
const long = 30 * time.Second

// TestRealEngine runs its parts with one image.
func TestRealEngine(t *testing.T) {
	real := enginetest.Machine(t)
	image := real.Build(t, enginetest.Image{Expose: []string{}})
	t.Run("from docker run to the view, from docker stop out of it", func(t *testing.T) {
		realSpeed(t, rig{t: t, real: real, image: image, app: enginetest.Unique()})
	})
	for name, test := range map[string]func(*testing.T, rig){
		"state":               realState,
		"signals":             realSignals,
		"health":              realHealth,
		"listens late":        realLate,
		"networks":            realNetworks,
		"IPv6 only":           realIPv6,
		"other network modes": realModes,
		"published":           realPublished,
		"ports":               realPorts,
		"inside a container":  realInside,
		"own networks":        realOwnNetworks,
		"survey":              realSurvey,
		"GET alone":           realReadOnly,
	} {
		t.Run(name, func(t *testing.T) {
			test(t, rig{t: t, real: real, image: image, app: enginetest.Unique()})
		})
	}
}

func realSpeed(t *testing.T, r rig) {
	w, _ := r.watch(t, nil)
	w.await("nothing", soon, usable())
	var in, out []time.Duration
	for i := range 3 {
		c := r.run(t, enginetest.RunOptions{Name: "rgate-test-" + enginetest.Unique(), Created: true})
		c.Start() // what docker run waits for
		begun := time.Now()
		w.await("the start", long, usable(c.Name))
		in = append(in, time.Since(begun).Round(100*time.Microsecond))
		begun = time.Now()
		if i%2 == 0 {
			go c.Stop(5 * time.Second)
		} else {
			go c.Kill("KILL")
		}
		w.await("the stop", long, usable())
		out = append(out, time.Since(begun).Round(100*time.Microsecond))
		w.await("that it is gone", long, func(v discovery.View) bool { return len(v.Candidates) == 0 })
		c.Remove()
	}
	t.Logf("in the view after docker run has returned: %v; out of it after docker stop or kill was begun: %v", in, out)
}

func realState(t *testing.T, r rig) {
	w, _ := r.watch(t, nil)
	one := r.run(t, enginetest.RunOptions{})
	w.await("the start", long, usable(one.Name))
	one.Pause()
	w.await("the pause", long, reason(one.Name, "paused"))
	one.Unpause()
	w.await("the unpause", long, usable(one.Name))
	one.Rename(one.Name + "-renamed")
	w.await("the name", long, usable(one.Name))
	one.Restart(5 * time.Second)
	w.await("the restart", long, func(v discovery.View) bool { return len(v.Candidates) == 1 && !v.Candidates[0].Usable() })
	w.await("that it is back", long, usable(one.Name))
	one.Stop(5 * time.Second)
	w.await("the stop", long, usable())
	one.Start()
	w.await("the next start", long, usable(one.Name))
	one.Remove()
	w.await("the end", long, func(v discovery.View) bool { return len(v.Candidates) == 0 })
}

func realSignals(t *testing.T, r rig) {
	w, _ := r.watch(t, nil)
	c := r.run(t, enginetest.RunOptions{StopSignal: "SIGQUIT", Args: []string{"-term-for", "1h"}})
	w.await("the start", long, usable(c.Name))
	c.Kill("HUP")
	c.Kill("USR1")
	w.none(300 * time.Millisecond)
	c.Kill("QUIT") // it goes on serving
	w.await("the stop signal", long, reason(c.Name, "stopping"))
	c.Kill("KILL")
	w.await("the end", long, func(v discovery.View) bool { return len(v.Candidates) == 0 })
}

func realHealth(t *testing.T, r rig) {
	w, _ := r.watch(t, nil)
	c := r.run(t, enginetest.RunOptions{Health: true, Args: []string{"-unhealthy-for", "3s"}})
	w.await("that it is not healthy yet", long, reason(c.Name, "health: ")) // starting, or unhealthy where the engine is quicker
	w.await("that it is healthy", long, usable(c.Name))
}

func realLate(t *testing.T, r rig) {
	w, _ := r.watch(t, nil)
	c := r.run(t, enginetest.RunOptions{Args: []string{"-listen-after", "3s"}})
	begun := time.Now()
	w.await("that it does not listen", long, reason(c.Name, "not listening yet on "+c.IP("bridge")+":8080"))
	w.await("that it listens", long, usable(c.Name))
	t.Logf("listens after 3 s, taken after %v", time.Since(begun))
}

func realNetworks(t *testing.T, r rig) {
	a := r.real.Network(t, enginetest.NetworkOptions{Name: "rgate-test-a" + enginetest.Unique()})
	b := r.real.Network(t, enginetest.NetworkOptions{Name: "rgate-test-b" + enginetest.Unique()})
	w, _ := r.watch(t, nil)
	chosen, _ := r.watch(t, func(s *discovery.Selector) { s.Network = b })
	c := r.run(t, enginetest.RunOptions{Network: b, Networks: []string{a}})
	w.await("the first by name", long, at(c.Name, c.IP(a)+":8080"))
	chosen.await("the chosen one", long, at(c.Name, c.IP(b)+":8080"))
	ip := c.IP(b)
	c.Disconnect(a)
	w.await("the one left", long, at(c.Name, ip+":8080"))
	c.Disconnect(b)
	w.await("none left", long, reason(c.Name, "unreachable"))
	chosen.await("none left", long, reason(c.Name, "unreachable"))
	c.Connect(b)
	w.await("connected again", long, at(c.Name, c.IP(b)+":8080"))
	chosen.await("connected again", long, at(c.Name, c.IP(b)+":8080"))
}

// Engine 20.10 makes no network without IPv4, but an address can be had
// without one by looking at a container whose IPv4 the list does not tell.
func realIPv6(t *testing.T, r rig) {
	n := r.real.Network(t, enginetest.NetworkOptions{IPv6: true})
	c := r.run(t, enginetest.RunOptions{Network: n})
	v6 := c.Inspect().NetworkSettings.Networks[n].GlobalIPv6Address
	fake := enginetest.NewFake(t)
	f := fakeContainer("six", "x", 8080)
	f.Networks = map[string]string{n: v6.String()}
	fake.Set(f)
	e, _ := open(t, fake.Host, usualTiming())
	// Linux holds a new IPv6 address back for a second or two until it is sure
	// that nobody else has it.
	watchIt(t, e, app("x")).await("its IPv6 address", long, at("six", net.JoinHostPort(v6.String(), "8080")))
}

func realModes(t *testing.T, r rig) {
	port := trial.Port(t)
	w, _ := r.watch(t, func(s *discovery.Selector) { s.Port = port })
	listenOn := []string{"-listen", fmt.Sprintf(":%d", port)}
	host := r.run(t, enginetest.RunOptions{Name: "rgate-test-1" + enginetest.Unique(), Network: "host", Args: listenOn})
	w.await("the host's network", long, at(host.Name, fmt.Sprintf("127.0.0.1:%d", port)))

	donor := r.real.Run(t, enginetest.RunOptions{Image: r.image, Name: "rgate-test-2" + enginetest.Unique()})
	user := r.run(t, enginetest.RunOptions{Name: "rgate-test-3" + enginetest.Unique(), Network: "container:" + donor.Name, Args: listenOn, Expose: []string{}})
	w.await("another's network", long, at(user.Name, fmt.Sprintf("%s:%d", donor.IP("bridge"), port)))

	none := r.run(t, enginetest.RunOptions{Name: "rgate-test-4" + enginetest.Unique(), Network: "none"})
	w.await("no network", long, both(reason(none.Name, "on no network"), usable(host.Name, user.Name)))
}

func realPublished(t *testing.T, r rig) {
	w, _ := r.watch(t, func(s *discovery.Selector) { s.Address = discovery.AddressPublished })
	c := r.run(t, enginetest.RunOptions{Publish: []string{"0.0.0.0::8080"}})
	_, port, _ := net.SplitHostPort(c.Published("8080/tcp"))
	w.await("the published port", long, at(c.Name, "127.0.0.1:"+port))
	other := r.run(t, enginetest.RunOptions{})
	w.await("the unpublished one", long, reason(other.Name, "not published"))
}

func realPorts(t *testing.T, r rig) {
	w, log := r.watch(t, nil)
	c := r.run(t, enginetest.RunOptions{Expose: []string{"8081", "8080", "53/udp"}})
	w.await("the lowest port", long, at(c.Name, c.IP("bridge")+":8080"))
	blind := r.run(t, enginetest.RunOptions{Expose: []string{"53/udp"}})
	w.await("no port", long, both(reason(blind.Name, "no TCP port"), usable(c.Name)))
	w.stop()
	if log.count("container "+c.Name+" exposes ports 8080, 8081: took 8080") != 1 {
		t.Errorf("no warning in the log:\n%s", log.text.String())
	}
}

// rgate in a container sees others on the networks that both share.
func realInside(t *testing.T, r rig) {
	n := r.real.Network(t, enginetest.NetworkOptions{})
	self := r.real.Run(t, enginetest.RunOptions{Image: r.image, Network: n})
	c := r.run(t, enginetest.RunOptions{Networks: []string{n}})
	e, err := Open(Options{Host: r.real.Host, Env: nothingSet, Container: self.ID})
	if err != nil {
		t.Fatal(err)
	}
	watchIt(t, e, app(r.app)).await("the shared network", long, at(c.Name, c.IP(n)+":8080"))

	onHost := r.real.Run(t, enginetest.RunOptions{Image: r.image, Network: "host", Args: []string{"-listen", "127.0.0.1:0"}})
	e, err = Open(Options{Host: r.real.Host, Env: nothingSet, Container: onHost.ID})
	if err != nil {
		t.Fatal(err)
	}
	watchIt(t, e, app(r.app)).await("as on the host", long, at(c.Name, c.IP("bridge")+":8080"))
}

// The networks of rgate's own container count as they change.
func realOwnNetworks(t *testing.T, r rig) {
	nets := []string{r.real.Network(t, enginetest.NetworkOptions{}), r.real.Network(t, enginetest.NetworkOptions{})}
	slices.Sort(nets)
	self := r.real.Run(t, enginetest.RunOptions{Image: r.image, Network: nets[1]})
	c := r.run(t, enginetest.RunOptions{Networks: nets})
	e, err := Open(Options{Host: r.real.Host, Env: nothingSet, Container: self.ID})
	if err != nil {
		t.Fatal(err)
	}
	w := watchIt(t, e, app(r.app))
	w.await("the shared network", long, at(c.Name, c.IP(nets[1])+":8080"))
	self.Connect(nets[0])
	w.await("the first of two shared ones", long, at(c.Name, c.IP(nets[0])+":8080"))
	self.Disconnect(nets[0])
	w.await("the one left", long, at(c.Name, c.IP(nets[1])+":8080"))
}

func realSurvey(t *testing.T, r rig) {
	good := r.run(t, enginetest.RunOptions{})
	exited := r.run(t, enginetest.RunOptions{Created: true})
	stranger := r.real.Run(t, enginetest.RunOptions{Image: r.image, Labels: map[string]string{"app": "other"}, Created: true})
	e, _ := open(t, r.real.Host, usualTiming())
	var got map[string]string
	for deadline := time.Now().Add(long); got[good.Name] != "" || got == nil; {
		candidates, err := e.Survey(t.Context(), []discovery.Selector{app(r.app)})
		if err != nil {
			t.Fatal(err)
		}
		got = map[string]string{}
		for _, c := range candidates {
			got[c.Name] = c.Reason
		}
		if time.Now().After(deadline) {
			break
		}
	}
	for name, want := range map[string]string{
		good.Name: "", exited.Name: "not running (created)",
		stranger.Name: fmt.Sprintf("missing label app=%s (has app=other)", r.app),
	} {
		if reason, ok := got[name]; !ok || reason != want {
			t.Errorf("%s: %q, want %q", name, reason, want)
		}
	}
}

// A proxy before the engine's socket records what rgate asks for.
func realReadOnly(t *testing.T, r rig) {
	dir, err := os.MkdirTemp("", "rgp")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	socket := filepath.Join(dir, "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var sent []string
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", strings.TrimPrefix(r.real.Host, "unix://"))
	}}
	defer transport.CloseIdleConnections()
	proxy := &httputil.ReverseProxy{Transport: transport, FlushInterval: -1, Rewrite: func(p *httputil.ProxyRequest) {
		p.Out.URL.Scheme, p.Out.URL.Host = "http", "docker"
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, p.In.Method+" "+p.In.URL.Path)
	}}
	server := &http.Server{Handler: proxy, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Close() }()

	e, _ := open(t, "unix://"+socket, usualTiming())
	w := watchIt(t, e, app(r.app))
	c := r.run(t, enginetest.RunOptions{})
	w.await("the start", long, usable(c.Name))
	c.Stop(5 * time.Second)
	w.await("the stop", long, usable())
	if _, err := e.Survey(t.Context(), []discovery.Selector{app(r.app)}); err != nil {
		t.Error(err)
	}
	w.stop()
	mu.Lock()
	defer mu.Unlock()
	if len(sent) < 6 {
		t.Errorf("the proxy saw %v alone", sent)
	}
	for _, s := range sent {
		method, path, _ := strings.Cut(s, " ")
		path = strings.TrimPrefix(path, "/v1.41")
		allowed := path == "/version" || path == "/info" || path == "/events" || strings.HasPrefix(path, "/containers/")
		if method != http.MethodGet || !allowed {
			t.Errorf("sent %s", s)
		}
	}
}

// get asks a container, so that tests of a daemon that is away know it lives.
func get(t *testing.T, addr string) {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
}
