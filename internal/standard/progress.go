package standard

import (
	"sync"
	"sync/atomic"
	"time"

	"rgate/internal/config"
)

// progress cuts a client that sends its body too slowly. A read deadline would
// do, were net/http not setting its own on the same connection.
type progress struct {
	least   config.BodyProgress
	count   *atomic.Int64 // bytes of the body so far
	waiting *atomic.Bool  // the client is waited for now
	cut     func()

	mu    sync.Mutex
	timer *time.Timer
	was   int64
	over  bool
}

// watch begins to look each least.Within whether count has moved by
// least.Bytes, until end. Slowness of an endpoint is not held against the
// client: it counts only while the client is waited for.
func watch(least config.BodyProgress, count *atomic.Int64, waiting *atomic.Bool, cut func()) *progress {
	p := &progress{least: least, count: count, waiting: waiting, cut: cut}
	if least.Bytes > 0 {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.timer = time.AfterFunc(least.Within, p.look)
	}
	return p
}

func (p *progress) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	now := p.count.Load()
	if p.waiting.Load() && now-p.was < int64(p.least.Bytes) {
		p.over = true
		p.cut()
		return
	}
	p.was = now
	p.timer.Reset(p.least.Within)
}

// end stops looking.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	if p.timer != nil {
		p.timer.Stop()
	}
}
