//go:build linux

package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// A room for 80, of which one address may hold a quarter.
const (
	roomForAll = 80
	roomForOne = roomForAll / 4
)

// crowded is a gateway with that room, whose endpoint answers GETs at once and
// the rest once it is read.
func crowded(t *testing.T, engine string, change func(*config.Config)) (g *rig.Rig, uploads chan struct{}) {
	t.Helper()
	uploads = make(chan struct{}, roomForAll)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			uploads <- struct{}{}
			_, _ = io.Copy(io.Discard, r.Body)
		}
	}))
	t.Cleanup(s.Close)
	g = rig.Start(t, engine, func(c *config.Config) {
		c.Limits.Connections, c.Timeouts.Connect = roomForAll, 20*time.Second
		if change != nil {
			change(c)
		}
	}, s.Listener.Addr().String())
	return g, uploads
}

// dialFrom is a client with the nth loopback address.
func dialFrom(t *testing.T, n int, addr string) *client {
	t.Helper()
	from := netip.AddrFrom4([4]byte{127, 0, 0, byte(n)})
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	c, err := rig.Dial(&d, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	return &client{c, t, bufio.NewReader(c)}
}

// TestWhoDoesNotGetOnMakesRoom has a few addresses fill the room with clients of
// one kind. Others are answered, each of them.
func TestWhoDoesNotGetOnMakesRoom(t *testing.T) {
	for name, kind := range map[string]struct {
		say  string
		then func(c *client, uploads chan struct{})
	}{
		"silence":     {"", nil},
		"one byte":    {"G", nil},
		"half a head": {"GET / HTTP/1.1\r\nHost: h\r\nX-", nil},
		"half a body": {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\nhalf", func(_ *client, uploads chan struct{}) { <-uploads }},
		"statistics":  {"GET /stats HTTP/1.1\r\nHost: h\r\n\r\n", func(c *client, _ chan struct{}) { c.want(http.StatusOK) }},
		"idleness":    {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", func(c *client, _ chan struct{}) { c.want(http.StatusOK) }},
		// It was handed over, and no WebSocket came of it.
		"a refused WebSocket": {"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", func(c *client, _ chan struct{}) { c.want(http.StatusOK) }},
		"an end not kept":     {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", func(c *client, _ chan struct{}) { c.want(http.StatusOK) }},
	} {
		for _, engine := range rig.Ways {
			t.Run(engine+"/"+name, func(t *testing.T) {
				t.Parallel()
				g, uploads := crowded(t, engine, nil)
				for i := range roomForAll {
					c := dialFrom(t, 2+i%4, g.Addr)
					if _, err := io.WriteString(c, kind.say); err != nil {
						t.Fatal(err)
					}
					if kind.then != nil {
						kind.then(c, uploads)
					}
				}
				for range roomForOne {
					c := dialFrom(t, 9, g.Addr)
					c.ask("/")
					c.want(http.StatusOK)
				}
			})
		}
	}
}

// Statistics are an answer like any other: the connection stays, and on it goes.
func TestStatisticsKeepTheConnection(t *testing.T) {
	for _, engine := range rig.Ways {
		t.Run(engine, func(t *testing.T) {
			g, _ := crowded(t, engine, nil)
			c := dialClient(t, g.Addr)
			for i := range 3 {
				c.ask("/stats")
				c.ask(fmt.Sprint("/", i)) // behind it, before it is answered
				c.want(http.StatusOK)
				c.want(http.StatusOK)
			}
			// Three besides the statistics: each is counted after it is sent.
			ends.Until(t, "all are counted", func() bool { return g.Gate.Table().Total().Success() >= 3 })
			if n := g.Gate.Table().Total().Success(); n != 3 {
				t.Errorf("%d exchanges were counted, of 3", n)
			}
		})
	}
}

func TestNobodyHoldsMoreThanAShare(t *testing.T) {
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			g, _ := crowded(t, engine, nil)
			for range roomForOne {
				c := dialFrom(t, 2, g.Addr)
				c.ask("/")
				c.want(http.StatusOK)
			}
			c := dialFrom(t, 2, g.Addr)
			c.ask("/")
			c.want(http.StatusServiceUnavailable)
			other := dialFrom(t, 3, g.Addr)
			other.ask("/")
			other.want(http.StatusOK)
		})
	}
}

func TestATrustedPeerHoldsWhatItNeeds(t *testing.T) {
	for _, engine := range rig.Ways {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			g, _ := crowded(t, engine, func(c *config.Config) {
				c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}
			})
			for range roomForAll {
				c := dialFrom(t, 2, g.Addr)
				c.ask("/")
				c.want(http.StatusOK)
			}
		})
	}
}
