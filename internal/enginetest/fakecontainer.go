package enginetest

import (
	"net/netip"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/network"
)

// FakeContainer is a container of a fake engine.
type FakeContainer struct {
	ID          string
	Name        string
	Labels      map[string]string
	State       string            // "" for running
	Listed      string            // what lists say in place of State; "" for that
	Health      string            // starting, healthy, unhealthy; "" for no HEALTHCHECK
	Mode        string            // network mode; "" for default
	Networks    map[string]string // address by network's name; a network's id is its name and "-id"
	Joined      map[string]string // further ones, which lists show once it was inspected
	Ports       []container.PortSummary
	Exposed     []string // by the configuration
	StopSignal  string
	StopTimeout int
	Created     time.Time
	Started     time.Time
}

func (c FakeContainer) state() container.ContainerState {
	return container.ContainerState(orElse(c.State, "running"))
}

// listed is the state as a list has it.
func (c FakeContainer) listed() container.ContainerState {
	return container.ContainerState(orElse(c.Listed, string(c.state())))
}

func (c FakeContainer) up() bool {
	s := c.listed()
	return s == container.StateRunning || s == container.StatePaused || s == container.StateRestarting
}

func (c FakeContainer) selected(labels map[string]bool) bool {
	for l := range labels {
		key, value, exact := strings.Cut(l, "=")
		if got, ok := c.Labels[key]; !ok || exact && got != value {
			return false
		}
	}
	return true
}

func (c FakeContainer) endpoints() map[string]*network.EndpointSettings {
	all := map[string]*network.EndpointSettings{}
	for name, text := range c.Networks {
		settings := &network.EndpointSettings{NetworkID: name + "-id"}
		if addr, err := netip.ParseAddr(text); err == nil && addr.Is4() {
			settings.IPAddress = addr
		} else if err == nil {
			settings.GlobalIPv6Address = addr
		}
		all[name] = settings
	}
	return all
}

// summary is the container as engines before API 1.52 list it: health in words.
func (c FakeContainer) summary() container.Summary {
	status := "Up 3 seconds"
	switch {
	case c.state() == container.StatePaused:
		status += " (Paused)"
	case c.Health == "":
	case c.Health == "starting":
		status += " (health: starting)"
	default:
		status += " (" + c.Health + ")"
	}
	s := container.Summary{
		ID: c.ID, Names: []string{"/other/alias", "/" + c.Name}, Labels: c.Labels, State: c.listed(), Status: status,
		Created: c.Created.Unix(), Ports: c.Ports,
		NetworkSettings: &container.NetworkSettingsSummary{Networks: c.endpoints()},
	}
	s.HostConfig.NetworkMode = orElse(c.Mode, "default")
	return s
}

func (c FakeContainer) inspect() container.InspectResponse {
	config := &container.Config{Labels: c.Labels, StopSignal: c.StopSignal, ExposedPorts: network.PortSet{}}
	if c.Health != "" {
		config.Healthcheck = &container.HealthConfig{Test: []string{"CMD", "/check"}}
	}
	if c.StopTimeout != 0 {
		config.StopTimeout = &c.StopTimeout
	}
	for _, port := range c.Exposed {
		config.ExposedPorts[network.MustParsePort(port)] = struct{}{}
	}
	ports := network.PortMap{}
	for _, p := range c.Ports {
		port, _ := network.PortFrom(p.PrivatePort, network.IPProtocol(p.Type))
		if p.PublicPort != 0 {
			public, _ := network.PortFrom(p.PublicPort, network.TCP)
			ports[port] = append(ports[port], network.PortBinding{HostIP: p.IP, HostPort: public.Port()})
		}
	}
	return container.InspectResponse{
		ID: c.ID, Name: "/" + c.Name, Created: c.Created.UTC().Format(time.RFC3339Nano), Config: config,
		State:           &container.State{Running: c.up(), Status: c.state(), StartedAt: c.Started.UTC().Format(time.RFC3339Nano)},
		HostConfig:      &container.HostConfig{NetworkMode: container.NetworkMode(orElse(c.Mode, "default"))},
		NetworkSettings: &container.NetworkSettings{Networks: c.endpoints(), Ports: ports},
	}
}

// Set adds or changes a container without telling of it.
func (f *Fake) Set(c FakeContainer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.containers[c.ID] = c
}

// Connect has a container join a network, and tells of it before lists do.
func (f *Fake) Connect(id, network, address string) {
	f.change(id, func(c *FakeContainer) { c.Joined = map[string]string{network: address} })
	f.EmitRaw(events.Message{Type: events.NetworkEventType, Action: events.ActionConnect, Actor: events.Actor{
		ID: network + "-id", Attributes: map[string]string{"container": id, "name": network},
	}})
}

// Start adds or changes a container and tells that it started now.
func (f *Fake) Start(c FakeContainer) {
	c.Started, c.State = time.Now(), "running"
	f.Set(c)
	f.Emit("start", c.ID, nil)
}

// Die makes a container exited and tells of it.
func (f *Fake) Die(id string) {
	f.change(id, func(c *FakeContainer) { c.State = "exited" })
	f.Emit("die", id, map[string]string{"exitCode": "0"})
}

// Remove makes a container be gone and tells of it.
func (f *Fake) Remove(id string) {
	f.Emit("destroy", id, nil)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.containers, id)
}

// SetHealth changes a container's health and tells of it.
func (f *Fake) SetHealth(id, health string) {
	f.change(id, func(c *FakeContainer) { c.Health = health })
	f.Emit("health_status: "+health, id, nil)
}

func (f *Fake) change(id string, how func(*FakeContainer)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.containers[id]
	how(&c)
	f.containers[id] = c
}

// Emit tells an event of a container, whatever its state.
func (f *Fake) Emit(action, id string, attributes map[string]string) {
	f.mu.Lock()
	c := f.containers[id]
	f.mu.Unlock()
	all := map[string]string{"name": c.Name, "image": "fake"}
	for key, value := range c.Labels {
		if key != "name" && key != "image" { // the engine's own win
			all[key] = value
		}
	}
	for key, value := range attributes {
		all[key] = value
	}
	f.EmitRaw(events.Message{Type: events.ContainerEventType, Action: events.Action(action), Actor: events.Actor{ID: id, Attributes: all}})
}

// EmitRaw tells any event, with the time of now.
func (f *Fake) EmitRaw(e events.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e.Time, e.TimeNano, e.Scope = time.Now().Unix(), time.Now().UnixNano(), "local"
	f.history = append(f.history[max(0, len(f.history)-255):], e) // engines keep 256
	for stream := range f.streams {
		stream <- e
	}
}
