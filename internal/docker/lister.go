package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// lister lists containers and keeps the details of those it has seen, so that
// only new ones cost a further request. One goroutine at a time uses it.
type lister struct {
	timing  timing
	details map[string]details
}

// listing is the order for a list.
type listing struct {
	selectors selectors
	everyone  bool            // also what does not run and what nothing selects
	refresh   map[string]bool // containers whose details may have changed
	all       bool            // the details of all may have changed
}

// list is one list request, and an inspect request for each new container.
func (l *lister) list(ctx context.Context, c *connection, o listing) (map[string]facts, error) {
	if len(o.selectors) == 0 && !o.everyone {
		return map[string]facts{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, l.timing.patience)
	defer cancel()
	options := client.ContainerListOptions{All: o.everyone}
	if !o.everyone {
		options.Filters = o.selectors.filters()
	}
	answer, err := c.ContainerList(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("cannot list containers: %w", err)
	}
	for id := range o.refresh {
		delete(l.details, id)
	}
	selected := map[string]container.Summary{}
	for _, s := range answer.Items {
		if o.everyone || o.selectors.any(s.Labels) {
			selected[s.ID] = s
		}
	}
	if err := l.inspect(ctx, c, selected, o); err != nil {
		return nil, err
	}
	found := make(map[string]facts, len(selected))
	for id, s := range selected {
		found[id] = newFacts(s, l.details[id])
	}
	for id := range l.details {
		if _, ok := selected[id]; !ok {
			delete(l.details, id)
		}
	}
	return found, l.donors(ctx, c, found)
}

// inspect asks for the details that are not known, a few at a time. A
// container that cannot be inspected is taken with the usual ones.
func (l *lister) inspect(ctx context.Context, c *connection, selected map[string]container.Summary, o listing) error {
	var (
		mu     sync.Mutex
		broken error
		wg     sync.WaitGroup
		turn   = make(chan struct{}, 8)
		asked  = map[string]details{}
	)
	for id, s := range selected {
		if _, known := l.details[id]; known && !o.all || !o.selectors.any(s.Labels) {
			continue
		}
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			answer, err := c.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				asked[id] = newDetails(answer.Container)
			case lost(ctx, err):
				broken = fmt.Errorf("cannot inspect container %s: %w", nameOf(s.Names), err)
			}
		})
	}
	wg.Wait()
	for id := range selected {
		if d, ok := asked[id]; ok {
			l.details[id] = d
		}
	}
	return broken
}

// lost tells whether no answer came that could be used, rather than a refusal.
func lost(ctx context.Context, err error) bool {
	return ctx.Err() != nil || client.IsErrConnectionFailed(err) || errors.Is(err, errNonsense)
}

// donors finds the containers whose networks others use.
func (l *lister) donors(ctx context.Context, c *connection, found map[string]facts) error {
	for id, f := range found {
		ref, ok := strings.CutPrefix(f.mode, "container:")
		if !ok || f.state != "running" {
			continue
		}
		answer, err := c.ContainerInspect(ctx, ref, client.ContainerInspectOptions{})
		switch {
		case err == nil:
			donor := donorFacts(answer.Container)
			f.donor = &donor
			found[id] = f
		case lost(ctx, err):
			return fmt.Errorf("cannot inspect container %s: %w", ref, err)
		}
	}
	return nil
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
