package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// lister lists containers and keeps the details of those it has seen, so that
// only new ones cost a further request. One goroutine at a time uses it.
type lister struct {
	timing  timing
	details map[string]details
	lenders map[string]facts     // as they were when inspected last, by the reference to them
	heldUp  map[string]time.Time // what was not inspected in time, and when
}

func newLister(t timing) *lister {
	return &lister{timing: t, details: map[string]details{}, lenders: map[string]facts{}, heldUp: map[string]time.Time{}}
}

// listing is the order for a list.
type listing struct {
	selectors selectors
	everyone  bool            // also what does not run and what nothing selects
	refresh   map[string]bool // containers whose details may have changed
	doubted   map[string]bool // containers of which events say that they do not run
	joined    map[string]bool // containers that joined a network
	all       bool            // the details of all may have changed
}

// list is one list request, and an inspect request for each new container.
func (l *lister) list(ctx context.Context, c *connection, o listing) (map[string]facts, error) {
	if len(o.selectors) == 0 && !o.everyone {
		return map[string]facts{}, nil
	}
	// An engine tells of a connection to a network before its lists show it, by
	// as long as its disk takes, and inspects the container only afterwards.
	if err := l.inspect(ctx, c, slices.Collect(maps.Keys(o.joined))); err != nil {
		return nil, err
	}
	options := client.ContainerListOptions{All: o.everyone}
	if !o.everyone {
		options.Filters = o.selectors.filters()
	}
	items, err := l.ask(ctx, c, options)
	if err != nil {
		return nil, err
	}
	selected := map[string]container.Summary{}
	for _, s := range items {
		if o.everyone || o.selectors.any(s.Labels) {
			selected[s.ID] = s
		}
	}
	if err := l.inspect(ctx, c, l.due(selected, o)); err != nil {
		return nil, err
	}
	found := make(map[string]facts, len(selected))
	for id, s := range selected {
		found[id] = newFacts(s, l.details[id])
	}
	used, err := l.donors(ctx, c, found)
	l.forget(found, used)
	return found, err
}

// ask asks for a list alone.
func (l *lister) ask(ctx context.Context, c *connection, options client.ContainerListOptions) ([]container.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timing.patience)
	defer cancel()
	answer, err := c.ContainerList(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("cannot list containers: %w", err)
	}
	return answer.Items, nil
}

// mostHeldUp is how many inspections a list waits for in vain.
const mostHeldUp = 8

// inspect asks for the details of containers, a few at a time. One that cannot
// be inspected is taken with those known before, if any, and else with the
// usual ones.
func (l *lister) inspect(ctx context.Context, c *connection, ids []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu     sync.Mutex
		broken error
		vain   int
		wg     sync.WaitGroup
		turn   = make(chan struct{}, 8)
	)
	for _, id := range ids {
		turn <- struct{}{}
		mu.Lock()
		over := broken != nil || vain >= mostHeldUp
		mu.Unlock()
		if over {
			break
		}
		wg.Go(func() {
			defer func() { <-turn }()
			answer, err := l.look(ctx, c, id)
			mu.Lock()
			defer mu.Unlock()
			delete(l.heldUp, id)
			switch {
			case err == nil:
				l.details[id] = newDetails(answer)
			case errors.Is(err, errHeldUp):
				l.heldUp[id] = time.Now()
				vain++
			case broken == nil && lost(ctx, err):
				broken = fmt.Errorf("cannot inspect container %.12s: %w", id, err)
				cancel()
			}
		})
	}
	wg.Wait()
	return broken
}

// due are the containers to inspect. From now on no detail is known of them
// that may have changed.
func (l *lister) due(selected map[string]container.Summary, o listing) (ids []string) {
	for id, s := range selected {
		if !o.selectors.any(s.Labels) {
			continue
		}
		known, ok := l.details[id]
		if !o.refresh[id] && !o.all && (ok && !o.doubted[id] || time.Since(l.heldUp[id]) < l.timing.again) {
			continue
		}
		if known.runs = false; ok {
			l.details[id] = known
		}
		ids = append(ids, id)
	}
	return ids
}

// errHeldUp is that one container could not be inspected in time, though the
// engine answers.
var errHeldUp = errors.New("the engine answers, but does not inspect it")

// look inspects one container. The engine waits until a container has started
// or ended before it tells of it, and if that hangs, for good: it then is the
// container's fault, and nothing is wrong with what it tells of others.
func (l *lister) look(ctx context.Context, c *connection, id string) (container.InspectResponse, error) {
	bounded, cancel := context.WithTimeout(ctx, l.timing.inspect)
	defer cancel()
	answer, err := c.ContainerInspect(bounded, id, client.ContainerInspectOptions{})
	if err == nil || bounded.Err() == nil || ctx.Err() != nil {
		return answer.Container, err
	}
	if _, err := l.ask(ctx, c, client.ContainerListOptions{Limit: 1}); err != nil {
		return answer.Container, err
	}
	return answer.Container, errHeldUp
}

// lost tells whether no answer came that could be used, rather than a refusal.
func lost(ctx context.Context, err error) bool {
	return ctx.Err() != nil || client.IsErrConnectionFailed(err) || errors.Is(err, errNonsense) || errors.Is(err, context.DeadlineExceeded)
}

// donors finds the containers whose networks others use, and answers which
// they are.
func (l *lister) donors(ctx context.Context, c *connection, found map[string]facts) (used map[string]bool, err error) {
	used = map[string]bool{}
	for id, f := range found {
		ref, ok := strings.CutPrefix(f.mode, "container:")
		if !ok || f.state != "running" {
			continue
		}
		donor, there := l.lenders[ref]
		if !used[ref] && time.Since(l.heldUp[ref]) >= l.timing.again {
			answer, err := l.look(ctx, c, ref)
			delete(l.heldUp, ref)
			switch {
			case err == nil:
				donor, there = donorFacts(answer), true
				l.lenders[ref] = donor
			case errors.Is(err, errHeldUp):
				l.heldUp[ref] = time.Now()
			case lost(ctx, err):
				return used, fmt.Errorf("cannot inspect container %s: %w", ref, err)
			default:
				there = false
				delete(l.lenders, ref)
			}
		}
		if used[ref] = true; there {
			f.donor = &donor
			found[id] = f
		}
	}
	return used, nil
}

// forget drops what is known of containers that are gone.
func (l *lister) forget(found map[string]facts, donors map[string]bool) {
	gone := func(id string) bool { _, ok := found[id]; return !ok }
	maps.DeleteFunc(l.details, func(id string, _ details) bool { return gone(id) })
	maps.DeleteFunc(l.lenders, func(ref string, _ facts) bool { return !donors[ref] })
	maps.DeleteFunc(l.heldUp, func(id string, _ time.Time) bool { return gone(id) && !donors[id] })
}

// donorFacts is what of an inspect answer matters for its network.
func donorFacts(c container.InspectResponse) facts {
	f := facts{id: c.ID, name: strings.TrimPrefix(c.Name, "/")}
	if c.HostConfig != nil {
		f.mode = string(c.HostConfig.NetworkMode)
	}
	if c.NetworkSettings == nil {
		return f
	}
	f.attachments = attachments(c.NetworkSettings.Networks)
	for port, bindings := range c.NetworkSettings.Ports {
		for _, b := range bindings {
			if port.Proto() == "tcp" {
				f.bindings = append(f.bindings, binding{private: int(port.Num()), public: hostPort(b.HostPort), ip: b.HostIP})
			}
		}
	}
	sortBindings(f.bindings)
	return f
}

func hostPort(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
