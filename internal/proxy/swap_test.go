package proxy

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/route"
	"rgate/internal/upstream"
)

const labelled = `
routes: [{path_prefix: /api, backend: b}]
backends: [{name: b, match_labels: [app=b], %s}]
`

// deploys is a gate whose backend's containers are replaced.
type deploys struct {
	*Gate
	t   testing.TB
	cfg *config.Config
	n   int
}

func deploying(t testing.TB, keys string) *deploys {
	g, _ := gateOf(t, fmt.Sprintf(labelled, keys))
	d := &deploys{Gate: g, t: t, cfg: g.Table().Config}
	d.replace()
	return d
}

// replace puts new containers in the place of all there are, as the owner does:
// it swaps tables first and drains what left second.
func (d *deploys) replace() {
	d.n++
	var v discovery.View
	for i := range 2 {
		v.Candidates = append(v.Candidates, discovery.Candidate{
			Backend: "b", ID: fmt.Sprintf("%d-%d", d.n, i), Name: fmt.Sprintf("app-%d", i),
			Address: fmt.Sprintf("10.1.%d.%d:80", i, d.n%256), Weight: 1,
		})
	}
	old := d.Table()
	next := route.Build(d.cfg, []discovery.View{v}, old)
	d.Swap(next)
	for _, e := range old.Endpoints() {
		e.Drain()
	}
	if len(next.Endpoints()) != 2 {
		d.t.Errorf("%d endpoints", len(next.Endpoints()))
	}
}

func (d *deploys) serve(x *Exchange) bool {
	e := x.Next(upstream.None, time.Now())
	if e == nil {
		x.End(upstream.None, time.Now())
		return false
	}
	x.Head(200)
	x.End(upstream.Answered, time.Now())
	return true
}

// Requests that waited while their containers were replaced go to the new ones.
func TestAQueueSurvivesAReplacement(t *testing.T) {
	d := deploying(t, "max_in_flight: 1, queue: {size: 10, timeout: 1m}, sticky: {cookie: seat}")
	first := request("GET", "/api")
	d.Begin(first)
	was := first.Next(upstream.None, time.Now())
	seat := d.Table().Backends[0].Sticky.Value(was)
	var waiting []*Exchange
	var places []chan struct{}
	for range 5 {
		x := request("GET", "/api")
		x.Header = fields{"Cookie": {"seat=" + seat}}
		if d.Begin(x) != Wait {
			t.Fatal("not queued")
		}
		waiting, places = append(waiting, x), append(places, suspend(x))
	}
	d.replace()
	first.Head(200)
	first.End(upstream.Answered, time.Now())
	for i, x := range waiting {
		<-places[i]
		x.Job.Finish()
		e := x.Next(upstream.None, time.Now())
		if e == nil {
			t.Fatalf("request %d is told %d", i, x.Answer.Status)
		}
		if e.Name != was.Name || e == was {
			t.Errorf("request %d of a sticky client went to %s, not to %s", i, e.Name, was.Name)
		}
		x.Head(200)
		if x.SetCookie != nil {
			t.Errorf("told %s, which it knew", x.SetCookie)
		}
		x.End(upstream.Answered, time.Now())
	}
	balanced(t, d.Gate)
}

// A request that waited goes by its key where its backend hashes by then.
func TestAQueuedRequestGoesByItsKeyOnceThereIsOne(t *testing.T) {
	const queue = "max_in_flight: 1, queue: {size: 40, timeout: 1m}"
	d := deploying(t, queue)
	first := request("GET", "/api")
	d.Begin(first)
	first.Next(upstream.None, time.Now())
	var waiting []*Exchange
	var places []chan struct{}
	for i := range 30 {
		x := request("GET", fmt.Sprintf("/api/%d", i))
		if d.Begin(x) != Wait {
			t.Fatal("not queued")
		}
		waiting, places = append(waiting, x), append(places, suspend(x))
	}
	hashing, _ := gateOf(t, fmt.Sprintf(labelled, queue+", balance: {consistent_hash: path}"))
	d.cfg = hashing.Table().Config
	d.replace()
	first.Head(200)
	first.End(upstream.Answered, time.Now())
	met := map[string]bool{}
	for i, x := range waiting {
		<-places[i]
		x.Job.Finish()
		e := x.Next(upstream.None, time.Now())
		if e == nil {
			t.Fatalf("request %d is told %d", i, x.Answer.Status)
		}
		met[e.Name] = true
		x.Head(200)
		x.End(upstream.Answered, time.Now())
	}
	if len(met) != 2 {
		t.Errorf("30 paths all went to %v", met)
	}
}

// A seat that an exchange gets is one of the newest table.
func TestTheSeatIsOfTheNewestTable(t *testing.T) {
	d := deploying(t, "sticky: {cookie: seat}")
	x := request("GET", "/api")
	d.Begin(x)
	d.replace()
	if x.Next(upstream.None, time.Now()) == nil {
		t.Fatal("no endpoint")
	}
	x.Head(200)
	if x.SetCookie == nil {
		t.Error("no seat")
	}
	x.End(upstream.Answered, time.Now())
}

// A backend that is gone from the newest table still serves who came before.
func TestABackendThatIsGoneServesItsExchanges(t *testing.T) {
	g, _ := gateOf(t, two)
	x := request("GET", "/api")
	g.Begin(x)
	g.Swap(route.Build(config.Default(), nil, g.Table()))
	if x.Next(upstream.None, time.Now()) == nil || x.Next(upstream.ConnectFailed, time.Now()) == nil {
		t.Errorf("told %+v", x.Answer)
	}
	x.Head(200)
	x.End(upstream.Answered, time.Now())
}

// A backend gets another name while requests are on their way to it, one of them
// in its queue: they go where they would if they came now.
func TestARenamedBackendLosesNothing(t *testing.T) {
	d := deploying(t, "max_in_flight: 1, queue: {size: 10, timeout: 1m}, sticky: {cookie: seat}")
	first, second := request("GET", "/api"), request("POST", "/api")
	d.Begin(first)
	if d.Begin(second) != Wait {
		t.Fatal("not queued")
	}
	place := suspend(second)
	renamed, _ := gateOf(t, `{routes: [{path_prefix: /api, backend: c}], backends: [{name: c, endpoints: ["10.0.0.1:80"]}]}`)
	old := d.Table()
	next := route.Build(renamed.Table().Config, nil, old)
	d.Swap(next)
	for _, e := range old.Endpoints() {
		e.Drain()
	}
	for _, x := range []*Exchange{first, second} {
		if x == second {
			<-place
			x.Job.Finish()
		}
		if e := x.Next(upstream.None, time.Now()); e == nil || e.Backend != "c" {
			t.Fatalf("it went to %v and is told %+v", e, x.Answer)
		}
		x.Head(200)
		x.End(upstream.Answered, time.Now())
	}
	for _, table := range []*route.Table{old, next} {
		if b := table.Backends[0]; b.Gate.InFlight() != 0 || b.Endpoints[0].InFlight() != 0 {
			t.Errorf("%s: %d in flight, %d at its endpoint", b.Name, b.Gate.InFlight(), b.Endpoints[0].InFlight())
		}
	}
}

// Where its backend is gone, what waited goes nowhere that it had to be let in to,
// or by another path, if it came now.
func TestWhoWaitedPassesNoPolicyByAReload(t *testing.T) {
	for keys, passes := range map[string]bool{
		"": true, ", ip: {allow: [10.0.0.0/8]}": false, ", strip_prefix: /api": false, ", api_key: {}": false, ", respond: {}": false,
	} {
		d := deploying(t, "max_in_flight: 1, queue: {size: 10, timeout: 1m}")
		first, second := request("GET", "/api"), request("GET", "/api")
		d.Begin(first)
		if d.Begin(second) != Wait {
			t.Fatal("not queued")
		}
		place := suspend(second)
		backend := "backend: c"
		if strings.Contains(keys, "respond") {
			backend = "match: segment" // it has none
		}
		renamed, _ := gateOf(t, fmt.Sprintf(`{routes: [{path_prefix: /api, %s%s}], backends: [{name: c, endpoints: ["10.0.0.1:80"]}]}`, backend, keys))
		old := d.Table()
		d.Swap(route.Build(renamed.Table().Config, nil, old))
		for _, e := range old.Endpoints() {
			e.Drain()
		}
		for _, x := range []*Exchange{first, second} {
			if x == second {
				<-place
				x.Job.Finish()
			}
			e := x.Next(upstream.None, time.Now())
			if came := e != nil && e.Backend == "c"; came != passes || e == nil && x.Answer.Status != 503 {
				t.Errorf("%q: it went to %v and is told %+v", keys, e, x.Answer)
			}
			if e != nil {
				x.Head(200)
			}
			x.End(upstream.Answered, time.Now())
		}
		balanced(t, d.Gate)
	}
}

// Tables are replaced at any moment of a request, and nobody notices.
func TestNoRequestIsLostWhileTablesAreSwapped(t *testing.T) {
	d := deploying(t, "balance: least_request")
	var served, lost atomic.Int64
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				x := request("GET", "/api")
				if d.Begin(x); d.serve(x) {
					served.Add(1)
				} else {
					lost.Add(1)
				}
			}
		})
	}
	for n := 0; n < 2000 || served.Load() < 20_000; n++ {
		d.replace()
	}
	close(stop)
	all.Wait()
	if n := lost.Load(); n != 0 {
		t.Errorf("%d of %d requests lost", n, n+served.Load())
	}
	balanced(t, d.Gate)
}
