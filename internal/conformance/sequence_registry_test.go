//go:build linux

package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// attempts counts how often each exchange reached an endpoint.
type attempts struct {
	mu sync.Mutex
	of map[identity]int
}

func (a *attempts) count(id identity) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of == nil {
		a.of = map[identity]int{}
	}
	a.of[id]++
	return a.of[id]
}

func (a *attempts) forget(id identity) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.of, id)
}

// tally counts what happened.
type tally struct {
	mu sync.Mutex
	of map[string]int
}

func (t *tally) add(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[string]int{}
	}
	t.of[what]++
}

func (t *tally) get(what string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of[what]
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	for _, what := range slices.Sorted(maps.Keys(t.of)) {
		all = append(all, fmt.Sprintf("%s %d", what, t.of[what]))
	}
	return strings.Join(all, ", ")
}

// ledger is how many bytes of bodies may be counted, by what clients know.
type ledger struct {
	in, out bounds
}

type bounds struct{ least, most atomic.Int64 }

// asked enters what p may come to.
func (l *ledger) asked(p *plan) {
	const own = 300 // an answer of rgate's own is shorter
	l.in.most.Add(int64(p.size))
	l.out.most.Add(int64(max(p.size, p.answer.size, own)))
}

// answered enters what p came to.
func (l *ledger) answered(p *plan, h *heard) {
	if !p.answer.early {
		l.in.least.Add(int64(p.size))
	}
	l.out.least.Add(int64(len(h.body)))
}

// wrong says how n lies outside b; "" where it does not.
func (b *bounds) wrong(n uint64) string {
	if least, most := b.least.Load(), b.most.Load(); int64(n) < least || int64(n) > most {
		return fmt.Sprintf("%d bytes are counted, which should be from %d to %d", n, least, most)
	}
	return ""
}

// cookies knows which endpoint each sticky cookie is of.
type cookies struct {
	mu sync.Mutex
	of map[string]string
}

func (c *cookies) owner(cookie string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[cookie]
}

// learn notes that cookie is of endpoint; false where it is of another.
func (c *cookies) learn(cookie, endpoint string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]string{}
	}
	if c.of[cookie] == "" {
		c.of[cookie] = endpoint
	}
	return c.of[cookie] == endpoint
}

// unasked is what endpoints say that nobody asked for, each with a mark of its
// own. It must reach no client, save one whose request may have been on its way
// by then: nobody can tell such an answer from the one that was asked for.
type unasked struct {
	mu  sync.Mutex
	all []blurting
}

type blurting struct {
	at     time.Time // when it lay with the gateway; zero for not yet
	joined bool      // it came together with the end of an answer
}

func markOf(n int) string { return fmt.Sprintf("Zu%08xuZ", n) }

// next is something unasked behind the answer to p.
func (u *unasked) next(p *plan, d dice) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	mark := markOf(len(u.all))
	u.all = append(u.all, blurting{})
	if p.method == "HEAD" || p.answer.status == 204 || p.answer.status == 304 {
		return mark + " a body that should not be\r\n"
	}
	field := "\r\nX-Unasked: " + mark + "\r\n"
	return pick(d,
		"HTTP/1.1 408 Too late"+field+"Connection: close\r\n\r\n",
		"HTTP/1.1 200 OK"+field+"Content-Length: 12\r\n\r\n"+mark,
		"HTTP/1.1 103 Early"+field+"\r\n",
		"\r\n"+mark+"\r\n",
		"HTTP/1.1 200 OK"+field+"Content-Length: 1000\r\n\r\n"+mark,
	)
}

// said notes that blurt was sent.
func (u *unasked) said(blurt string, joined bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, n := range marks([]byte(blurt), "Zu", "uZ") {
		u.all[n] = blurting{time.Now(), joined}
	}
}

// excusable tells whether a request sent at that time may meet blurting n.
func (u *unasked) excusable(n uint32, at time.Time) bool {
	const slack = 2 * time.Millisecond // between write and the other side's socket
	u.mu.Lock()
	defer u.mu.Unlock()
	if int(n) >= len(u.all) {
		return false
	}
	b := u.all[n]
	return b.at.IsZero() || !b.joined && at.Before(b.at.Add(slack))
}
