//go:build linux

package loop

import (
	"bufio"
	"io"
	"math"
	"net"
	"runtime"
	"testing"
	"time"

	"rgate/internal/config"
)

// echo is an endpoint that allocates nothing per request.
func echo(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		answer := []byte("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nok")
		for {
			for n := 0; n != 2; {
				line, err := r.ReadSlice('\n')
				if err != nil {
					return
				}
				n = len(line)
			}
			_, _ = c.Write(answer)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

func TestAllocatesNothingPerRequest(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) { c.Limits.RequestsPerConnection = 0 }, echo(t))
	c := g.dialLong()
	request := []byte(plainGet)
	answer := make([]byte, 4096)
	n := 0
	once := func() {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			n, _ = c.Read(answer)
		} else if _, err := io.ReadFull(c, answer[:n]); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		once()
	}
	requests, budget := 5000, uint64(20)
	if raced {
		requests = 500
	}
	if least := allocations(requests, budget, once); least > budget {
		t.Errorf("%d allocations in %d requests", least, requests)
	}
}

// One that waits costs what leads back to it, its wake and a place in the queue.
func TestWaitingAllocatesLittle(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) { c.Backends[0].Traffic.MaxInFlight = 1 }, echo(t))
	request := []byte(plainGet)
	answer := make([]byte, 4096)
	clients := []net.Conn{g.dialLong(), g.dialLong()}
	n := 0
	once := func() {
		for _, c := range clients {
			if _, err := c.Write(request); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range clients {
			if n == 0 {
				n, _ = c.Read(answer)
			} else if _, err := io.ReadFull(c, answer[:n]); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 100 {
		once()
	}
	const pairs = 300 // of which one waits at most
	each := uint64(3)
	if raced {
		each = 5 // two for the system calls that rouse a loop
	}
	if least := allocations(pairs, each*pairs+20, once); least > each*pairs+20 {
		t.Errorf("%d allocations where %d waited", least, pairs)
	}
}

// dialLong is a client for thousands of exchanges, on a busy machine too.
func (g *gate) dialLong() net.Conn {
	c := g.dial()
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	return c
}

// allocations are those of n times once; at once where they are within budget.
func allocations(n int, budget uint64, once func()) uint64 {
	// The runtime allocates for itself now and then (a thread costs two), however
	// many the requests: the budget is a constant, and the best of a few rounds
	// counts. What a request allocates is in all of them.
	least := uint64(math.MaxUint64)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			once()
		}
		runtime.ReadMemStats(&after)
		if least = min(least, after.Mallocs-before.Mallocs); least <= budget {
			break
		}
	}
	return least
}
