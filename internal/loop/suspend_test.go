//go:build linux

package loop

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/upstream"
)

// full is a backend of one place that somebody holds until release, with n
// others in the queue.
func full(t *testing.T, n int, change func(*config.Config)) (g *gate, release chan struct{}) {
	t.Helper()
	arrived, release := make(chan struct{}, n+1), make(chan struct{})
	g = start(t, func(c *config.Config, _ *Options) {
		c.Backends[0].Traffic.MaxInFlight = 1
		if change != nil {
			change(c)
		}
	}, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	_, _ = io.WriteString(g.dial(), plainGet)
	<-arrived
	for range n {
		_, _ = io.WriteString(g.dial(), plainGet)
	}
	until(t, g, phaseWait, n)
	return g, release
}

// Waiting costs no goroutine.
func TestTheQueueHasNoGoroutines(t *testing.T) {
	g, release := full(t, 90, nil)
	defer close(release)
	const others = 60 // of the endpoint and the test
	if n := runtime.NumGoroutine(); n > others {
		t.Errorf("%d goroutines while 90 wait", n)
	}
	if n := g.table.Total().InFlight; n != 91 {
		t.Errorf("%d are in flight", n)
	}
}

// The end of the loop gives back what was queued.
func TestClosingAllEmptiesTheQueue(t *testing.T) {
	g, release := full(t, 5, nil)
	defer close(release)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = g.engine.Shutdown(ctx, 0)
	gate := &g.table.Backends[0].Gate
	var ticket upstream.Ticket
	if !gate.Queue(&ticket) {
		t.Error("the queue is full of those that were closed")
	} else {
		in := make(chan struct{})
		gate.Call(&ticket, func() { close(in) })
		<-in // a place that was lost would never come
		gate.Leave()
	}
	if !gate.Enter() {
		t.Error("the place is lost")
	}
}

func TestTheQueueAnswersInTheEnd(t *testing.T) {
	g, release := full(t, 0, func(c *config.Config) { c.Backends[0].Traffic.Queue.Timeout = 200 * time.Millisecond })
	defer close(release)
	if res := get(t, g.dial(), plainGet); res.StatusCode != 503 || res.Header.Get("X-Rgate-Reason") != "overloaded" {
		t.Errorf("got %d, %q", res.StatusCode, res.Header.Get("X-Rgate-Reason"))
	}
}

// One above the limits that cannot even be watched leaves the count alone.
func TestRefusedConnectionsAreCountedRight(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	g.engine.within(func(l *loop) {
		f, err := os.Open(os.Args[0]) // epoll takes no plain files
		if err != nil {
			t.Error(err)
			return
		}
		fd, err := unix.Dup(int(f.Fd()))
		_ = f.Close()
		if err != nil {
			t.Error(err)
			return
		}
		conns := l.conns
		l.open(fd, netip.MustParseAddr("192.0.2.1"), listen.New(nil, config.Listener{}), false, phaseHead)
		if l.refused != 0 || l.conns != conns {
			t.Errorf("%d refused, %d connections after %d", l.refused, l.conns, conns)
		}
	})
}
