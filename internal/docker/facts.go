package docker

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// facts is what the engine answered about one container.
type facts struct {
	id          string
	name        string
	labels      map[string]string
	state       string // running, paused, exited, …
	health      string // starting, healthy, unhealthy; "" without HEALTHCHECK
	mode        string // network mode: host, none, container:ID, or a network
	attachments []attachment
	bindings    []binding
	exposed     []int  // TCP ports, sorted
	donor       *facts // whose network it uses, in mode container:ID
	details
}

// details is what only the inspect answer holds. It does not change while a
// container runs, so it is asked for once per start.
type details struct {
	runs        bool // it did when it was inspected; true of one that is paused, too
	checked     bool // it has a HEALTHCHECK
	created     time.Time
	started     time.Time
	stopSignal  int
	stopTimeout time.Duration
	exposedAll  []int // TCP ports of the configuration
}

// attachment is a network that a container is on.
type attachment struct {
	name string
	id   string
	addr netip.Addr // IPv4, else IPv6; invalid for none
}

// binding is a port published on the engine's host.
type binding struct {
	private int
	public  int
	ip      netip.Addr
}

// newFacts puts an item of a list and the details of the same container
// together. Order is made here, so that nothing later depends on a map's.
func newFacts(s container.Summary, d details) facts {
	f := facts{
		id: s.ID, name: nameOf(s.Names), labels: s.Labels, state: string(s.State), health: healthOf(s),
		mode: s.HostConfig.NetworkMode, details: d,
	}
	if f.created.IsZero() {
		f.created = time.Unix(s.Created, 0).UTC()
	}
	if f.stopSignal == 0 { // it could not be inspected
		f.stopSignal = sigTERM
	}
	if s.NetworkSettings != nil {
		f.attachments = attachments(s.NetworkSettings.Networks)
	}
	f.exposed = slices.Clone(d.exposedAll)
	for _, p := range s.Ports {
		if p.Type != "tcp" {
			continue
		}
		f.exposed = append(f.exposed, int(p.PrivatePort))
		if p.PublicPort != 0 {
			f.bindings = append(f.bindings, binding{private: int(p.PrivatePort), public: int(p.PublicPort), ip: p.IP})
		}
	}
	slices.Sort(f.exposed)
	f.exposed = slices.Compact(f.exposed)
	sortBindings(f.bindings)
	return f
}

// nameOf is the container's own name; the others are those of links to it.
func nameOf(names []string) string {
	for _, name := range names {
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			return name
		}
	}
	return ""
}

// healthOf reads the health that engines before API 1.52 tell only in words.
func healthOf(s container.Summary) string {
	if s.Health != nil {
		if s.Health.Status == container.NoHealthcheck {
			return ""
		}
		return string(s.Health.Status)
	}
	switch {
	case strings.HasSuffix(s.Status, "(health: starting)"):
		return string(container.Starting)
	case strings.HasSuffix(s.Status, "(unhealthy)"):
		return string(container.Unhealthy)
	case strings.HasSuffix(s.Status, "(healthy)"):
		return string(container.Healthy)
	}
	return ""
}

func attachments(networks map[string]*network.EndpointSettings) []attachment {
	var list []attachment
	for name, settings := range networks {
		if settings == nil {
			continue
		}
		a := attachment{name: name, id: settings.NetworkID, addr: settings.IPAddress}
		if !a.addr.IsValid() {
			a.addr = settings.GlobalIPv6Address
		}
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b attachment) int { return cmp.Compare(a.name, b.name) })
	return list
}

// sortBindings puts every host's address first, IPv4 before IPv6, then by port.
func sortBindings(list []binding) {
	rank := func(b binding) int {
		switch {
		case !b.ip.IsValid() || b.ip.IsUnspecified() && b.ip.Is4():
			return 0
		case b.ip.IsUnspecified():
			return 1
		}
		return 2
	}
	slices.SortFunc(list, func(a, b binding) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.ip.Compare(b.ip), cmp.Compare(a.public, b.public))
	})
}

// newDetails reads an inspect answer.
func newDetails(c container.InspectResponse) details {
	d := details{stopSignal: sigTERM}
	d.created, _ = time.Parse(time.RFC3339Nano, c.Created)
	if c.State != nil {
		d.runs = c.State.Status == container.StateRunning || c.State.Status == container.StatePaused
		d.started, _ = time.Parse(time.RFC3339Nano, c.State.StartedAt)
	}
	if c.Config == nil {
		return d
	}
	if h := c.Config.Healthcheck; h != nil {
		d.checked = len(h.Test) > 0 && h.Test[0] != "NONE"
	}
	if n := signalNumber(c.Config.StopSignal); n != 0 {
		d.stopSignal = n
	}
	if c.Config.StopTimeout != nil {
		d.stopTimeout = time.Duration(*c.Config.StopTimeout) * time.Second
	}
	for port := range c.Config.ExposedPorts {
		if port.Proto() == network.TCP {
			d.exposedAll = append(d.exposedAll, int(port.Num()))
		}
	}
	slices.Sort(d.exposedAll)
	return d
}
