package proxy

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// pages makes the statistics pages that are asked for. That takes its time, so it
// is done beside the engines, by one goroutine at most.
type pages struct {
	make func(*Exchange) *Answer // nil for no pages

	mu    sync.Mutex
	asked []*page // the first come first
	busy  bool    // somebody makes them
}

// pageTime is how long somebody may wait for the page.
const pageTime = 30 * time.Second

// Inform has g answer for the statistics page, where the configuration has one,
// with what f makes. Of the exchange f has the method, the path, the query and
// who asks. It may wait. It is to be said before the first request.
func (g *Gate) Inform(f func(*Exchange) *Answer) { g.pages.make = f }

// page is the job of making one page.
type page struct {
	pages  *pages
	x      *Exchange
	ask    Exchange // what is told of x, which may end meanwhile
	ctx    context.Context
	wake   func()
	answer *Answer
}

// inform has x wait for the page. It is not recorded.
func (p *pages) inform(x *Exchange) Verdict {
	x.ended = true
	x.Job = &page{pages: p, x: x, ask: Exchange{
		Method: bytes.Clone(x.Method), Path: bytes.Clone(x.Path), Query: bytes.Clone(x.Query),
		Peer: x.Peer, Client: x.Client, Start: x.Start,
	}}
	return Wait
}

// Limit implements Job.
func (j *page) Limit() time.Duration { return pageTime }

// Start implements Job.
func (j *page) Start(ctx context.Context, wake func()) {
	j.ctx, j.wake = ctx, wake
	p := j.pages
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, j)
	if !p.busy {
		p.busy = true
		go p.work()
	}
}

// Finish implements Job.
func (j *page) Finish() Verdict { return j.x.reply(j.answer) }

// Late implements Job.
func (j *page) Late() Verdict { return j.x.reply(answerOverload) }

// Abandon implements Job. The end of ctx says all.
func (j *page) Abandon() {}

// work makes one page after the other until nobody asks.
func (p *pages) work() {
	for j := p.next(); j != nil; j = p.next() {
		j.answer = p.make(&j.ask)
		j.wake()
	}
}

// next is the first of those who still wait.
func (p *pages) next() *page {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.asked) > 0 {
		j := p.asked[0]
		p.asked[0] = nil
		if p.asked = p.asked[1:]; j.ctx.Err() == nil {
			return j
		}
	}
	p.asked, p.busy = nil, false
	return nil
}
