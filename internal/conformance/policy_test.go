//go:build linux

package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// perEngine runs f for both engines.
func perEngine(t *testing.T, f func(t *testing.T, engine string)) { per(t, rig.Engines, f) }

// perWay runs f for both engines, with TLS before them and without.
func perWay(t *testing.T, f func(t *testing.T, way string)) { per(t, rig.Ways, f) }

func per(t *testing.T, kinds []string, f func(t *testing.T, kind string)) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) { f(t, kind) })
	}
}

// got is an answer with its body.
func (c *client) got() (*http.Response, string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, string(b)
}

// Who is denied by its address gets 403 with a reason, and goes on on its
// connection; which client that is, a trusted proxy may say.
func TestClientsAreDeniedByTheirAddress(t *testing.T) {
	perWay(t, func(t *testing.T, engine string) {
		r := record(t, "")
		g := rig.Start(t, engine, func(c *config.Config) {
			c.Routes[0].Policies = []*config.Policy{{IP: &config.IP{
				Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8")},
				Deny:  []netip.Prefix{netip.MustParsePrefix("10.6.0.0/16")},
			}}}
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}, r.addr)
		c := dialClient(t, g.Addr)
		for _, step := range []struct {
			from   string
			status int
		}{{"10.1.1.1", 200}, {"10.6.1.1", 403}, {"192.0.2.1", 403}, {"10.6.1.1, 10.1.1.1", 200}, {"2001:db8::1", 403}, {"", 200}} {
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: %s\r\nContent-Length: 2\r\n\r\nhi", step.from)
			res, _ := c.got()
			denied := res.Header.Get("X-Rgate-Reason") == "client_denied"
			if res.StatusCode != step.status || denied != (step.status == 403) {
				t.Errorf("from %q: %d %s", step.from, res.StatusCode, res.Header.Get("X-Rgate-Reason"))
			}
		}
		if n := len(r.complete()); n != 3 {
			t.Errorf("%d requests came through", n)
		}
		ends.Until(t, "the end of all exchanges", func() bool { return g.Gate.Table().Total().InFlight == 0 })
	})
}

// A policy that asks somebody first: who passes goes on to the next policy and to
// a place at its endpoint, with all of its body; who is refused is told so.
func TestPoliciesThatWait(t *testing.T) {
	perWay(t, func(t *testing.T, engine string) {
		r := record(t, "")
		first, second := &oracle{limit: time.Minute}, &oracle{limit: time.Minute}
		g := demanding(t, engine, func(c *config.Config) { c.Backends[0].Traffic.MaxInFlight = 1 }, r.addr, first, second)
		c := dialClient(t, g.Addr)
		fmt.Fprint(c, "POST /ask/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello")
		q := first.waiting(t, 1)[0]
		if q.path != "/ask/1" || q.client != netip.MustParseAddr("127.0.0.1") || q.ctx.Err() != nil {
			t.Errorf("asked of %s, %v", q.path, q.client)
		}
		fmt.Fprint(c, "world") // it does not wait for anybody
		q.say(true)
		q = second.waiting(t, 1)[0]
		fmt.Fprint(c, "GET /ask/2 HTTP/1.1\r\nHost: h\r\n\r\n")
		q.say(true)
		if res, _ := c.got(); res.StatusCode != 200 {
			t.Errorf("who passes gets %d", res.StatusCode)
		}
		first.waiting(t, 2)[1].say(false)
		if res, body := c.got(); res.StatusCode != 401 || res.Header.Get("WWW-Authenticate") != "Oracle" || res.Header.Get("X-Rgate-Reason") != "oracle_says_no" || body != "no\n" {
			t.Errorf("who is refused gets %d %v %q", res.StatusCode, res.Header, body)
		}
		c.ask("/free")
		c.want(200)
		want := []string{"POST /ask/1 helloworld", "GET /free "}
		if got := r.complete(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the endpoint got %q", got)
		}
		q.wake() // once too often, and late
		c.ask("/free")
		c.want(200)
		ends.Until(t, "the end of all exchanges", func() bool { return g.Gate.Table().Total().InFlight == 0 })
		if q.ctx.Err() == nil || first.given()+second.given() != 0 {
			t.Errorf("%v, %d and %d abandoned", q.ctx.Err(), first.given(), second.given())
		}
	})
}

// What takes too long, or waits for a client that has left, comes to an end.
func TestJobsEnd(t *testing.T) {
	perWay(t, func(t *testing.T, engine string) {
		o := &oracle{limit: 200 * time.Millisecond}
		g := demanding(t, engine, nil, record(t, "").addr, o)
		c := dialClient(t, g.Addr)
		c.ask("/ask/slow")
		if res, _ := c.got(); res.StatusCode != 503 || res.Header.Get("X-Rgate-Reason") != "oracle_silent" {
			t.Errorf("late: %d", res.StatusCode)
		}
		late := o.waiting(t, 1)[0]
		<-late.ctx.Done()
		late.say(true) // nobody listens
		c.ask("/free")
		c.want(200)
	})
	for name, leave := range map[string]func(*rig.Rig, *client){
		"close": func(_ *rig.Rig, c *client) { _ = c.Close() },
		"reset": func(_ *rig.Rig, c *client) {
			_ = c.TCP().SetLinger(0)
			_ = c.Close()
		},
		"half-close": func(_ *rig.Rig, c *client) { _ = c.CloseWrite() },
		"shutdown":   func(r *rig.Rig, _ *client) { r.End() },
	} {
		perWay(t, func(t *testing.T, engine string) {
			t.Run(name, func(t *testing.T) {
				o := &oracle{limit: time.Minute}
				g := demanding(t, engine, nil, record(t, "").addr, o)
				c := dialClient(t, g.Addr)
				c.ask("/ask/x")
				q := o.waiting(t, 1)[0]
				leave(g, c)
				<-q.ctx.Done()
				ends.Until(t, "the end of the job", func() bool { return o.given() == 1 })
				q.say(true) // it may have been answered at this very moment
				ends.Until(t, "the record of a client that left", func() bool {
					total := g.Gate.Table().Total()
					return total.InFlight == 0 && total.Classes().ClientError == 1
				})
			})
		})
	}
}

// However many wait, none costs a goroutine: there are as many as while their
// connections are quiet.
func TestWaitingCostsNoGoroutines(t *testing.T) {
	const clients, most = 1000, 50 // what comes and goes by itself
	perWay(t, func(t *testing.T, engine string) {
		o := &oracle{limit: time.Minute}
		g := demanding(t, engine, func(c *config.Config) { c.Limits.ConnectionsPerClient = 0 }, record(t, "").addr, o)
		var all []*client
		for range clients {
			c := dialClient(t, g.Addr)
			_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
			c.ask("/free")
			c.want(200)
			all = append(all, c)
		}
		quiet := runtime.NumGoroutine()
		for _, c := range all {
			c.ask("/ask/x")
		}
		questions := o.waiting(t, clients)
		if n := runtime.NumGoroutine() - quiet; n > most {
			t.Errorf("%d goroutines for %d that wait", n, clients)
		}
		for i, q := range questions {
			q.say(i%10 == 0)
		}
		passed := 0
		for _, c := range all {
			if res, _ := c.got(); res.StatusCode == 200 {
				passed++
			}
		}
		if passed != clients/10 {
			t.Errorf("%d passed", passed)
		}
	})
}
