//go:build linux

package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
	"rgate/internal/route"
)

// named are endpoints that answer with their name.
func named(t *testing.T, names ...string) (addrs []string) {
	t.Helper()
	for _, name := range names {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
		t.Cleanup(s.Close)
		addrs = append(addrs, s.Listener.Addr().String())
	}
	return addrs
}

// An endpoint that does not answer is asked once, and its client waits once;
// where it is to be asked again, all attempts have the time of one.
func TestASlowEndpointIsAskedOnce(t *testing.T) {
	f := func(engine string, again bool, want int) {
		t.Run(fmt.Sprint(engine, again), func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			asked := make(chan struct{}, 10)
			s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				asked <- struct{}{}
				<-release
			}))
			t.Cleanup(s.Close)
			t.Cleanup(func() { close(release) })
			g := rig.Start(t, engine, func(c *config.Config) {
				c.Timeouts.ResponseHeader = 2 * time.Second // the loop's clock has coarse ticks
				c.Backends[0].Traffic.RetryTimeouts = again
			}, s.Listener.Addr().String())
			if got := statuses(exchange(t, g.Addr, "GET / HTTP/1.1\r\n"+host+end), "GET"); len(got) != 1 || got[0] != http.StatusGatewayTimeout {
				t.Errorf("told %v", got)
			}
			if n := len(asked); n != want {
				t.Errorf("asked %d times, want %d", n, want)
			}
		})
	}
	for _, engine := range rig.Ways {
		f(engine, false, 1)
		f(engine, true, 3)
	}
}

// Behind a trusted proxy it is the client that consistent_hash looks at.
func TestClientsOfATrustedProxyAreHashed(t *testing.T) {
	for _, engine := range rig.Ways {
		for _, field := range []string{"X-Forwarded-For: 198.51.100.1, %s", "Forwarded: for=%s;proto=https"} {
			for _, trusted := range []bool{true, false} {
				t.Run(fmt.Sprint(engine, field, trusted), func(t *testing.T) {
					g := rig.Start(t, engine, func(c *config.Config) {
						c.Backends[0].Traffic.Balance = config.Balance{Policy: config.BalanceConsistentHash, HashBy: config.HashByClientIP}
						if trusted {
							c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
						}
					}, named(t, "one", "two")...)
					seen := map[string]int{}
					for i := range 40 {
						raw := "GET / HTTP/1.1\r\n" + host + fmt.Sprintf(field, fmt.Sprint("203.0.113.", i)) + "\r\n" + end
						first, again := exchange(t, g.Addr, raw), exchange(t, g.Addr, raw)
						name := first[len(first)-3:]
						if !strings.HasSuffix(again, name) {
							t.Errorf("client %d went to %s, and then elsewhere", i, name)
						}
						seen[name]++
					}
					if (len(seen) == 2) != trusted {
						t.Errorf("forty clients went to %v", seen)
					}
				})
			}
		}
	}
}

// Requests that wait in a queue while all endpoints are replaced go to the new
// ones.
func TestAQueueGoesToTheNewEndpoints(t *testing.T) {
	const waiting = 3
	for _, engine := range rig.Ways {
		t.Run(engine, func(t *testing.T) {
			held, release := make(chan struct{}), make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				held <- struct{}{}
				<-release
			}))
			t.Cleanup(s.Close)
			g := rig.Start(t, engine, func(c *config.Config) {
				c.Backends[0].Traffic.MaxInFlight = 1
				c.Backends[0].Traffic.Queue = config.Queue{Size: waiting, Timeout: 10 * time.Second}
			}, s.Listener.Addr().String())
			first := dialClient(t, g.Addr)
			first.ask("/")
			<-held
			var queue []*client
			for range waiting {
				c := dialClient(t, g.Addr)
				c.ask("/")
				queue = append(queue, c)
			}
			old := g.Gate.Table()
			ends.Until(t, "all to wait", func() bool { return old.Routes[0].Targets[0].Stats.InFlight() == waiting+1 })

			cfg := *old.Config
			cfg.Backends = []config.Backend{cfg.Backends[0]}
			cfg.Backends[0].Endpoints = named(t, "new")
			g.Gate.Swap(route.Build(&cfg, nil, old))
			old.Endpoints()[0].Drain()
			close(release)
			first.want(http.StatusOK)
			for _, c := range queue {
				c.want(http.StatusOK)
			}
		})
	}
}
