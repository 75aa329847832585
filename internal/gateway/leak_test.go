package gateway

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"rgate/internal/config"
	"rgate/internal/docker"
	"rgate/internal/enginetest"
)

var engines = []string{config.EngineStandard, config.EngineLoop}

// fleet is a gateway on a fake engine whose containers are servers of this
// process.
type fleet struct {
	*running
	fake    *enginetest.Fake
	servers []*httptest.Server
	made    int                        // containers so far
	alive   []enginetest.FakeContainer // now
	reloads int
}

func newFleet(t *testing.T, engine string, servers int) *fleet {
	t.Helper()
	f := &fleet{fake: enginetest.NewFake(t)}
	for range servers {
		s := httptest.NewServer(http.HandlerFunc(serveFleet))
		t.Cleanup(s.Close)
		f.servers = append(f.servers, s)
	}
	f.running = start(t, f.config(engine), engineAt(t, f.fake.Host))
	return f
}

// config is a different one at each reload: a route comes and goes.
func (f *fleet) config(engine string) string {
	f.reloads++
	text := "engine: " + engine + "\nbackends:\n  - {name: app, match_labels: [app=fleet]}\nroutes:\n  - {path_prefix: /, backend: app}\n"
	if f.reloads%2 == 0 {
		text += "  - {path_prefix: /other, backend: app}\n"
	}
	return text
}

// serveFleet answers, and echoes where a WebSocket is asked for.
func serveFleet(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		_, _ = io.WriteString(w, "hello")
		return
	}
	c, in, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	_, _ = io.Copy(c, in)
}

// start adds a container on one of the servers.
func (f *fleet) start() enginetest.FakeContainer {
	server := f.servers[f.made%len(f.servers)]
	f.made++
	c := enginetest.FakeContainer{
		ID: fmt.Sprintf("%064x", f.made), Name: fmt.Sprintf("c%d", f.made), Labels: map[string]string{"app": "fleet"},
		Networks: map[string]string{"bridge": "127.0.0.1"}, Created: time.Unix(1000, 0),
		Ports: []container.PortSummary{{PrivatePort: uint16(server.Listener.Addr().(*net.TCPAddr).Port), Type: "tcp"}},
	}
	f.fake.Start(c)
	f.alive = append(f.alive, c)
	return c
}

// replace starts n containers, waits until they take requests, and ends those
// before them, as a deploy does.
func (f *fleet) replace(n int) {
	f.t.Helper()
	old := f.alive
	f.alive = nil
	for range n {
		f.start()
	}
	f.await(len(old) + n)
	for _, c := range old {
		f.fake.Emit("kill", c.ID, map[string]string{"signal": "15"})
		f.fake.Die(c.ID)
		f.fake.Remove(c.ID)
	}
	f.await(n)
}

// await waits until the table has n endpoints.
func (f *fleet) await(n int) {
	f.t.Helper()
	until(f.t, fmt.Sprintf("%d endpoints", n), func() bool { return len(f.Table().Endpoints()) == n })
}

func (f *fleet) reload(engine string) {
	f.t.Helper()
	f.write(f.config(engine))
	if _, err := f.Reload(); err != nil {
		f.t.Fatal(err)
	}
}

// load asks from some clients until the returned function is called, which
// returns how many requests there were and how many failed.
func (f *fleet) load(clients int) (stop func() (all, failed int64)) {
	var all, failed atomic.Int64
	var over atomic.Bool
	var wait sync.WaitGroup
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	client := &http.Client{Transport: transport}
	for range clients {
		wait.Go(func() {
			for !over.Load() {
				all.Add(1)
				res, err := client.Get("http://" + f.Addr().String() + "/other")
				if err != nil {
					failed.Add(1)
					continue
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if res.StatusCode != http.StatusOK {
					failed.Add(1)
				}
			}
		})
	}
	return func() (int64, int64) {
		over.Store(true)
		wait.Wait()
		transport.CloseIdleConnections()
		return all.Load(), failed.Load()
	}
}

// footprint is what a leak would let grow.
type footprint struct{ goroutines, descriptors, heap int }

func (f *fleet) footprint() footprint {
	f.fake.Forget()
	f.log.mu.Lock()
	f.log.text = nil
	f.log.mu.Unlock()
	f.Table().Total() // folds counters of routes that are gone
	runtime.GC()
	runtime.GC() // the second empties what the first left in pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, err := os.ReadDir("/dev/fd") // the same on Linux and macOS
	if err != nil {
		f.t.Fatal(err)
	}
	return footprint{runtime.NumGoroutine(), len(open), int(m.HeapAlloc)}
}

// within tells whether p has grown by no more than 5 %.
func (p footprint) within(start footprint) bool {
	near := func(now, then int) bool { return now*100 <= then*105 }
	return near(p.goroutines, start.goroutines) && near(p.descriptors, start.descriptors) && near(p.heap, start.heap)
}

// After many deploys and reloads under traffic nothing is left of them, and no
// request was lost on the way.
func TestNothingLeaks(t *testing.T) {
	steps, each := 250, 40 // 10,000 containers, 1,000 reloads
	if testing.Short() || raced {
		steps, each = 15, 20
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			f := newFleet(t, engine, each)
			play := func(steps int) {
				f.replace(each)
				stop := f.load(2)
				for range steps {
					f.replace(each)
					for range 4 {
						f.reload(engine)
					}
				}
				all, failed := stop()
				if all == 0 || failed > 0 {
					t.Errorf("%d of %d requests failed", failed, all)
				}
				f.replace(0)
			}
			for range 3 {
				play(8) // pools and tables grow to their size
			}
			until(t, "idle connections are closed", func() bool { return f.Table().Total().InFlight == 0 })
			before := f.settled(footprint{})
			play(steps)
			if after := f.settled(before); !after.within(before) {
				t.Errorf("after %d containers and %d reloads: %+v, before: %+v", f.made, f.reloads, after, before)
			} else {
				t.Logf("after %d containers and %d reloads: %+v, before: %+v", f.made, f.reloads, after, before)
			}
		})
	}
}

// settled is the footprint once it is within what is hoped for, or the least
// there was: what ends by itself may take its time.
func (f *fleet) settled(hope footprint) footprint {
	least := f.footprint()
	patience := 20 * time.Second
	if hope == (footprint{}) {
		patience = 3 * time.Second
	}
	for end := time.Now().Add(patience); time.Now().Before(end) && !least.within(hope); time.Sleep(50 * time.Millisecond) {
		now := f.footprint()
		least = footprint{min(least.goroutines, now.goroutines), min(least.descriptors, now.descriptors), min(least.heap, now.heap)}
	}
	return least
}

// A WebSocket does not notice what goes on around it.
func TestOneWebSocketSurvives(t *testing.T) {
	rounds := 100 // with ten events and a reload each
	if testing.Short() || raced {
		rounds = 20
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			f := newFleet(t, engine, 3)
			f.start()
			f.await(1)
			ws, err := net.Dial("tcp", f.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer ws.Close()
			in := bufio.NewReader(ws)
			_, _ = io.WriteString(ws, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n")
			if head, err := http.ReadResponse(in, nil); err != nil || head.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("%v %v", head, err)
			}
			for i := range rounds {
				for range 5 { // beside it comes and goes another of its backend
					c := f.start()
					if i%10 == 0 {
						f.await(2)
					}
					f.fake.Die(c.ID)
					if i%10 == 0 {
						f.await(1)
					}
				}
				f.reload(engine)
				word := fmt.Sprintf("round %d\n", i)
				_ = ws.SetDeadline(time.Now().Add(20 * time.Second))
				if _, err := io.WriteString(ws, word); err != nil {
					t.Fatal(err)
				}
				if line, err := in.ReadString('\n'); err != nil || line != word {
					t.Fatalf("round %d: %q %v", i, line, err)
				}
			}
			if n := f.Table().Total().InFlight; n != 1 {
				t.Errorf("%d in flight", n)
			}
		})
	}
}

// engineAt is a source on a fake engine.
func engineAt(t *testing.T, host string) Source {
	t.Helper()
	engine, err := docker.Open(docker.Options{Host: host, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return engine.Source(nil)
}
