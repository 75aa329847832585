package names

import (
	"context"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"sync"
	"time"

	"rgate/internal/discovery"
)

// watch is one running Watch. All its fields belong to the goroutine of run;
// look-ups and tries report by channels.
type watch struct {
	source    *Source
	emit      func(discovery.View)
	selectors []discovery.Selector
	known     map[question]*memory
	contacts  map[netip.AddrPort]*contact
	answers   chan answer
	touched   chan touch
	room      chan struct{} // a token for each that runs
	ended     <-chan struct{}
	running   sync.WaitGroup

	hold    time.Time // a view waits for the names that are new until then
	due     bool      // a view is to be emitted, changed or not
	emitted bool
	last    discovery.View
}

func (w *watch) run(ctx context.Context) error {
	w.ended = ctx.Done()
	defer w.running.Wait()
	w.choose()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.source.poked:
			w.choose()
		case a := <-w.answers:
			w.heard(a)
		case t := <-w.touched:
			if c := w.contacts[t.at]; c != nil {
				c.trying, c.tried, c.accepts = false, true, c.accepts || t.accepts
				c.due = time.Now().Add(w.source.timing.again)
			}
		case <-timer.C:
		}
		w.ask(ctx)
		w.contact(ctx)
		w.publish()
		timer.Reset(w.next())
	}
}

// choose takes in what is looked for now.
func (w *watch) choose() {
	w.selectors = w.source.selected()
	wanted := map[question]bool{}
	for _, s := range w.selectors {
		for _, name := range s.Names {
			host, _ := split(name)
			for _, network := range families {
				q := question{host, network}
				wanted[q] = true
				if w.known[q] == nil {
					w.known[q] = &memory{addrs: w.source.had(q)}
				}
			}
		}
	}
	for q := range w.known {
		if !wanted[q] {
			delete(w.known, q)
		}
	}
	w.due, w.hold = true, time.Now().Add(w.source.timing.hold)
}

// ask asks what is due, each question once at a time.
func (w *watch) ask(ctx context.Context) {
	now := time.Now()
	for q, m := range w.known {
		if !m.asking && !now.Before(m.due) {
			m.asking = true
			w.start(ctx, func() { w.lookUp(ctx, q) })
		}
	}
}

// start runs f beside the others once there is room.
func (w *watch) start(ctx context.Context, f func()) {
	w.running.Go(func() {
		select {
		case w.room <- struct{}{}:
			defer func() { <-w.room }()
			f()
		case <-ctx.Done():
		}
	})
}

func (w *watch) lookUp(ctx context.Context, q question) {
	bounded, cancel := context.WithTimeout(ctx, w.source.timing.patience)
	defer cancel()
	addrs, err := w.source.resolver.LookupNetIP(bounded, q.network, q.host)
	select {
	case w.answers <- answer{q, addrs, err}:
	case <-w.ended:
	}
}

// heard takes in an answer.
func (w *watch) heard(a answer) {
	m := w.known[a.question]
	if m == nil {
		return // it was asked for under another configuration
	}
	was := m.fault
	m.take(a, time.Now(), w.source.timing)
	switch log := w.source.log.With("name", a.host, "family", a.network); {
	case m.fault != "" && was == "":
		log.Warn("cannot look up a name that is listed under endpoints", "reason", m.fault, "kept_addresses", len(m.addrs))
	case m.fault == "" && was != "":
		log.Info("a name that is listed under endpoints is answered for again", "addresses", len(m.addrs))
	}
}

// waits tells whether something is not known yet that a view should have.
func (w *watch) waits() bool {
	for _, m := range w.known {
		if !m.asked {
			return true
		}
	}
	for _, c := range w.contacts {
		if !c.tried {
			return true
		}
	}
	return false
}

// next is the time until something is due.
func (w *watch) next() time.Duration {
	now := time.Now()
	wait := time.Hour
	for _, m := range w.known {
		if !m.asking {
			wait = min(wait, m.due.Sub(now))
		}
	}
	if w.due {
		wait = min(wait, w.hold.Sub(now))
	}
	return max(wait, 0)
}

// publish emits the view, where it is due or another than the last.
func (w *watch) publish() {
	if time.Now().Before(w.hold) && w.waits() {
		return
	}
	v := w.view()
	if w.emitted && !w.due && reflect.DeepEqual(v, w.last) {
		return
	}
	w.last, w.emitted, w.due = v, true, false
	w.emit(v)
}

// addresses are those of a host:port, and whether there are some of both
// families.
func (w *watch) addresses(name string) (all []netip.AddrPort, both bool) {
	host, port := split(name)
	counts := [len(families)]int{}
	for i, network := range families {
		m := w.known[question{host, network}]
		if m == nil {
			continue
		}
		for _, ip := range m.addrs {
			all = append(all, netip.AddrPortFrom(ip, port))
			counts[i]++
		}
	}
	return all, counts[0] > 0 && counts[1] > 0
}

// split is host:port in two. The configuration has seen to it that it is one.
func split(name string) (host string, port uint16) {
	host, service, _ := net.SplitHostPort(name)
	n, _ := strconv.ParseUint(service, 10, 16)
	return host, uint16(n)
}
