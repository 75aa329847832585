//go:build linux

package traffic

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Load sends requests at a constant rate until it is ended.
type Load struct {
	stop    chan struct{}
	stopped chan struct{}

	mu      sync.Mutex
	results []Result
}

// Start begins to send rate requests a second to address, over TLS where there
// is a config for it.
func Start(address string, secure *tls.Config, rate float64) *Load {
	l := &Load{stop: make(chan struct{}), stopped: make(chan struct{})}
	go l.run(address, secure, time.Duration(float64(time.Second)/rate))
	return l
}

// run is an open loop: an arrival waits for no other, and one that is late,
// because the machine was busy, goes at once with the time it was due.
func (l *Load) run(address string, secure *tls.Config, interval time.Duration) {
	defer close(l.stopped)
	clients := [len(Kinds)]*client{}
	for i := range clients {
		clients[i] = &client{address: address, secure: secure}
		defer clients[i].close()
	}
	run := fmt.Sprintf("%08x", rand.Uint32())
	var flying sync.WaitGroup
	defer flying.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	start := time.Now()
	for i := 0; ; i++ {
		due := start.Add(time.Duration(i) * interval)
		timer.Reset(time.Until(due))
		select {
		case <-l.stop:
			return
		case <-timer.C:
		}
		kind := i % len(Kinds)
		r := Request{Kind: Kinds[kind], ID: fmt.Sprintf("%s-%d", run, i), Due: due}
		flying.Go(func() {
			result := clients[kind].do(r)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.results = append(l.results, result)
		})
	}
}

// End sends no more, waits for what is on its way, and answers all results.
func (l *Load) End() []Result {
	close(l.stop)
	<-l.stopped
	return l.results
}
