package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
)

// session is one connected time with the engine: subscribe, list, and follow
// the events until something breaks.
type session struct {
	*watch
	conn   *connection
	ctx    context.Context
	events client.EventsResult

	lists   sync.WaitGroup
	results chan listResult
	listing bool            // a list is under way
	all     bool            // the next list asks for all details anew
	moved   bool            // the next list asks for rgate's place anew
	refresh map[string]bool // containers whose details the next list asks for anew
	joined  map[string]bool // containers that joined a network since the last list

	late  int         // lists in a row that were behind the engine
	dirty time.Time   // the first event that no list has taken in; zero for none
	quiet *time.Timer // goes off when a list is due
	clock *time.Timer // goes off when time alone changes the view
}

type listResult struct {
	found map[string]facts
	place *place // nil where it was not asked for
	count int
	turn  int // of the Select that it answers
	err   error
}

// session returns why it ended.
func (w *watch) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	conn, err := w.source.engine.connect(ctx)
	if err != nil {
		cancel()
		return err
	}
	s := &session{
		watch: w, conn: conn, ctx: ctx, results: make(chan listResult, 1), all: true,
		refresh: map[string]bool{}, joined: map[string]bool{},
		quiet: time.NewTimer(time.Hour), clock: time.NewTimer(time.Hour),
	}
	defer conn.close()
	defer s.lists.Wait()
	defer s.quiet.Stop()
	defer s.clock.Stop()
	if w.place, err = w.source.engine.findPlace(ctx, conn); err == nil {
		err = s.subscribe()
	}
	if err != nil {
		cancel()
		return err
	}
	defer func() { // the client's goroutine ends with the context
		cancel()
		for range s.events.Err {
		}
	}()
	return s.follow()
}

// subscribe opens the event stream, so that nothing is lost between it and the
// list that follows.
func (s *session) subscribe() error {
	options := client.EventsListOptions{
		Filters: client.Filters{}.Add("type", "container", "network").Add("event", watched()...),
	}
	if s.since != 0 {
		after := s.since + 1
		options.Since = fmt.Sprintf("%d.%09d", after/int64(time.Second), after%int64(time.Second))
	}
	ctx, cancel := context.WithCancel(s.ctx)
	impatience := time.AfterFunc(s.timing.patience, cancel)
	s.events = s.conn.Events(ctx, options)
	if !impatience.Stop() {
		for range s.events.Err {
		}
		return fmt.Errorf("cannot subscribe to events: %w", context.DeadlineExceeded)
	}
	context.AfterFunc(s.ctx, cancel)
	select {
	case err := <-s.events.Err:
		cancel()
		for range s.events.Err {
		}
		if errors.Is(err, io.EOF) { // it was open, and is closed already
			return fmt.Errorf("%w at once", errStreamEnded)
		}
		return fmt.Errorf("cannot subscribe to events: %w", err)
	default:
		return nil
	}
}

// follow is the loop of a session.
func (s *session) follow() error {
	minutely := time.NewTicker(s.timing.relist)
	defer minutely.Stop()
	s.list()
	for {
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case e := <-s.events.Messages:
			s.hear(e)
			continue
		case err := <-s.events.Err:
			if garbled(err) {
				return fmt.Errorf("%w: in the event stream: %w", errNonsense, err)
			}
			return fmt.Errorf("%w: %v", errStreamEnded, err)
		case r := <-s.results:
			if err := s.adopt(r); err != nil {
				return err
			}
		case <-s.quiet.C:
			s.list()
			continue
		case <-minutely.C:
			s.list()
			continue
		case <-s.source.poked:
			s.change()
			s.list()
		case <-s.clock.C:
		case <-s.prober.changed:
		}
		s.show()
	}
}

// hear takes in one event.
func (s *session) hear(e events.Message) {
	s.since = max(s.since, e.TimeNano)
	id := subject(e)
	if e.Type == events.NetworkEventType && id != "" && id == s.place.self {
		s.move(e)
	}
	known := s.knows(id)
	if id == "" || !known && (e.Type == events.NetworkEventType || !concerns(s.sought(), e)) {
		return
	}
	s.count++
	if !isHealth(e) {
		s.memory.hear(id, e, s.count, time.Now())
	}
	if e.Action == events.ActionStart {
		s.refresh[id] = true
	}
	if e.Type == events.NetworkEventType {
		if e.Action == events.ActionConnect && !s.memory.died(id) {
			s.joined[id] = true
		}
		s.forgetNetwork(id, e.Actor.ID)
	}
	if urgent(e) {
		s.show()
	}
	s.touch()
}

// knows tells whether a container is in the last list or lends its network to
// one that is.
func (s *session) knows(id string) bool {
	if _, ok := s.facts[id]; ok {
		return true
	}
	for _, f := range s.facts {
		if f.donor != nil && f.donor.id == id {
			return true
		}
	}
	return false
}

// move takes in that rgate's own container joined or left a network. What
// could not be reached may be reached now, and what could by that network must
// show that it still can.
func (s *session) move(e events.Message) {
	s.moved = true
	left := e.Action == events.ActionDisconnect
	if left {
		networks := maps.Clone(s.place.networks)
		delete(networks, e.Actor.ID)
		s.place.networks = networks
		for id := range s.facts {
			s.forgetNetwork(id, e.Actor.ID)
		}
	} else {
		s.prober.forgetFailures()
	}
	s.show()
	s.touch()
}

// forgetNetwork makes a container's address on a network be proven anew.
func (s *session) forgetNetwork(id, network string) {
	for _, a := range s.facts[id].attachments {
		if a.id == network {
			s.prober.drop(func(key probeKey) bool {
				host, _, _ := net.SplitHostPort(key.addr)
				return key.id == id && host == a.addr.String()
			})
		}
	}
}

// touch makes a list due once events are over, or have gone on for too long.
func (s *session) touch() {
	now := time.Now()
	if s.dirty.IsZero() {
		s.dirty = now
	}
	s.quiet.Reset(min(s.timing.quiet, s.dirty.Add(s.timing.burst).Sub(now)))
}

// list asks for a list, or for another once the one under way is there.
func (s *session) list() {
	if s.listing {
		s.quiet.Reset(s.timing.quiet)
		return
	}
	s.quiet.Stop()
	s.listing, s.dirty = true, time.Time{}
	order := listing{selectors: s.sought(), refresh: s.refresh, joined: s.joined, doubted: s.memory.doubted(), all: s.all}
	count, turn, moved := s.count, s.wanted.turn, s.moved
	s.refresh, s.joined, s.all, s.moved = map[string]bool{}, map[string]bool{}, false, false
	s.lists.Go(func() {
		found, err := s.lister.list(s.ctx, s.conn, order)
		result := listResult{found: found, count: count, turn: turn, err: err}
		if moved && err == nil {
			var now place
			now, result.err = s.source.engine.findPlace(s.ctx, s.conn)
			result.place = &now
		}
		s.results <- result
	})
}

// adopt makes a list what is known.
func (s *session) adopt(r listResult) error {
	s.listing = false
	if r.err != nil {
		return r.err
	}
	s.memory.settle(r.found, s.facts, r.count)
	s.facts, s.listed = r.found, r.count
	s.catchUp()
	if r.place != nil && !s.moved { // else it is asked for again
		s.place = *r.place
		s.prober.forgetFailures()
	}
	s.markFresh()
	if s.changing && r.turn == s.wanted.turn && s.proving.IsZero() {
		s.proving = time.Now().Add(s.timing.first)
	}
	if !s.complete {
		s.complete, s.hold = true, time.Now().Add(s.timing.first)
	}
	return nil
}

// catchUp makes another list due where the last was behind the engine: sooner
// than time would, though no event is to come, and later each time.
func (s *session) catchUp() {
	if !s.memory.behind(s.facts, s.listed) {
		s.late = 0
		return
	}
	if s.dirty.IsZero() {
		s.quiet.Reset(min(s.timing.quiet<<s.late, s.timing.ceiling))
	}
	s.late = min(s.late+1, 16)
}

// show publishes, and sets the clock for the next time that a change comes by
// time alone.
func (s *session) show() {
	next := s.publish()
	if next.IsZero() {
		s.clock.Stop()
		return
	}
	s.clock.Reset(time.Until(next) + time.Millisecond)
}
