package enginetest

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// RunOptions says what container to run.
type RunOptions struct {
	Image       string
	Name        string // "" for a unique one
	Labels      map[string]string
	Args        []string
	Env         []string
	Network     string   // network mode or name of a network: "", "host", "none", "container:ID", a Network's name
	Networks    []string // connected besides, before the start
	Publish     []string // "8080" (any host port on 127.0.0.1), "0.0.0.0::8080", "127.0.0.1:9000:8080"
	Expose      []string // "8080", "53/udp", beside those of the image
	Health      bool     // with a HEALTHCHECK of the test server's /healthz each half second
	Binds       []string // "/host:/container:ro"
	StopSignal  string
	StopTimeout int // seconds; 0 for the engine's default
	User        string
	Restart     string // restart policy, such as "always"
	Created     bool   // create it only
}

// Container is a container of a test. It goes with the test.
type Container struct {
	ID   string
	Name string
	t    T
	e    *Engine
}

// Run creates and starts a container.
func (e *Engine) Run(t T, o RunOptions) *Container {
	t.Helper()
	if o.Name == "" {
		o.Name = "rgate-test-" + Unique()
	}
	labels := map[string]string{Label: o.Name}
	for key, value := range o.Labels {
		labels[key] = value
	}
	config := &container.Config{Image: o.Image, Labels: labels, Cmd: o.Args, Env: o.Env, StopSignal: o.StopSignal, User: o.User}
	if o.StopTimeout > 0 {
		config.StopTimeout = &o.StopTimeout
	}
	host := &container.HostConfig{
		NetworkMode: container.NetworkMode(o.Network), Binds: o.Binds,
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyMode(o.Restart)},
	}
	if o.Health {
		config.Healthcheck = &container.HealthConfig{
			Test:     []string{"CMD", "/binary", "-health", "http://127.0.0.1:8080/healthz"},
			Interval: 500 * time.Millisecond, Timeout: 2 * time.Second, Retries: 2,
		}
	}
	config.ExposedPorts, host.PortBindings = network.PortSet{}, network.PortMap{}
	for _, port := range o.Expose {
		config.ExposedPorts[network.MustParsePort(port)] = struct{}{}
	}
	if err := publish(o.Publish, config, host); err != nil {
		t.Fatal(err)
	}
	created, err := e.Client.ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: config, HostConfig: host, Name: o.Name})
	if err != nil {
		t.Fatalf("cannot create container %s: %v", o.Name, err)
	}
	c := &Container{ID: created.ID, Name: o.Name, t: t, e: e}
	t.Cleanup(c.clean)
	for _, n := range o.Networks {
		c.Connect(n)
	}
	if !o.Created {
		c.Start()
	}
	return c
}

// publish reads port bindings the way docker run -p does.
func publish(specs []string, config *container.Config, host *container.HostConfig) error {
	for _, spec := range specs {
		var ip, public, private string
		fields := splitPorts(spec)
		switch len(fields) {
		case 1:
			ip, private = "127.0.0.1", fields[0]
		case 3:
			ip, public, private = fields[0], fields[1], fields[2]
		default:
			return fmt.Errorf("cannot read port %q: want PORT or IP:PUBLIC:PORT", spec)
		}
		port, err := network.ParsePort(private)
		if err != nil {
			return fmt.Errorf("cannot read port %q: %w", spec, err)
		}
		addr, err := netip.ParseAddr(ip)
		if err != nil {
			return fmt.Errorf("cannot read port %q: %w", spec, err)
		}
		config.ExposedPorts[port] = struct{}{}
		host.PortBindings[port] = append(host.PortBindings[port], network.PortBinding{HostIP: addr, HostPort: public})
	}
	return nil
}

// splitPorts splits at colons that are not within brackets.
func splitPorts(spec string) []string {
	if end := len(spec); end > 0 && spec[0] == '[' {
		for i := range spec {
			if spec[i] == ']' && i+1 < end {
				return append([]string{spec[1:i]}, splitPorts(spec[i+2:])...)
			}
		}
	}
	for i := range spec {
		if spec[i] == ':' {
			return append([]string{spec[:i]}, splitPorts(spec[i+1:])...)
		}
	}
	return []string{spec}
}

func (c *Container) clean() {
	ctx, cancel := cleaning()
	defer cancel()
	if c.t.Failed() {
		c.t.Logf("container %s said:\n%s", c.Name, c.Logs())
	}
	_, err := c.e.Client.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true})
	if err != nil && !isNotFound(err) {
		c.t.Logf("cannot remove container %s: %v", c.Name, err)
	}
}

func (c *Container) must(what string, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("cannot %s container %s: %v", what, c.Name, err)
	}
}

// Start starts it.
func (c *Container) Start() {
	c.t.Helper()
	_, err := c.e.Client.ContainerStart(c.t.Context(), c.ID, client.ContainerStartOptions{})
	c.must("start", err)
}

// Stop stops it as docker stop does, and returns when it has ended.
func (c *Container) Stop(timeout time.Duration) {
	c.t.Helper()
	seconds := int(timeout / time.Second)
	_, err := c.e.Client.ContainerStop(c.t.Context(), c.ID, client.ContainerStopOptions{Timeout: &seconds})
	c.must("stop", err)
}

// Restart restarts it as docker restart does.
func (c *Container) Restart(timeout time.Duration) {
	c.t.Helper()
	seconds := int(timeout / time.Second)
	_, err := c.e.Client.ContainerRestart(c.t.Context(), c.ID, client.ContainerRestartOptions{Timeout: &seconds})
	c.must("restart", err)
}

// Kill sends it a signal, such as "TERM" or "KILL".
func (c *Container) Kill(signal string) {
	c.t.Helper()
	_, err := c.e.Client.ContainerKill(c.t.Context(), c.ID, client.ContainerKillOptions{Signal: signal})
	c.must("kill", err)
}

// Pause pauses it.
func (c *Container) Pause() {
	c.t.Helper()
	_, err := c.e.Client.ContainerPause(c.t.Context(), c.ID, client.ContainerPauseOptions{})
	c.must("pause", err)
}

// Unpause lets it go on.
func (c *Container) Unpause() {
	c.t.Helper()
	_, err := c.e.Client.ContainerUnpause(c.t.Context(), c.ID, client.ContainerUnpauseOptions{})
	c.must("unpause", err)
}

// Rename gives it another name.
func (c *Container) Rename(name string) {
	c.t.Helper()
	_, err := c.e.Client.ContainerRename(c.t.Context(), c.ID, client.ContainerRenameOptions{NewName: name})
	c.must("rename", err)
	c.Name = name
}

// Remove kills and removes it.
func (c *Container) Remove() {
	c.t.Helper()
	_, err := c.e.Client.ContainerRemove(c.t.Context(), c.ID, client.ContainerRemoveOptions{Force: true})
	c.must("remove", err)
}

// Connect connects it to a network.
func (c *Container) Connect(networkName string) {
	c.t.Helper()
	_, err := c.e.Client.NetworkConnect(c.t.Context(), networkName, client.NetworkConnectOptions{Container: c.ID})
	c.must("connect", err)
}

// Disconnect disconnects it from a network.
func (c *Container) Disconnect(networkName string) {
	c.t.Helper()
	_, err := c.e.Client.NetworkDisconnect(c.t.Context(), networkName, client.NetworkDisconnectOptions{Container: c.ID})
	c.must("disconnect", err)
}

// Inspect is what the engine knows of it.
func (c *Container) Inspect() container.InspectResponse {
	c.t.Helper()
	result, err := c.e.Client.ContainerInspect(c.t.Context(), c.ID, client.ContainerInspectOptions{})
	c.must("inspect", err)
	return result.Container
}

// IP is its address on a network, "bridge" being the default one; the IPv6
// address where it has no other.
func (c *Container) IP(networkName string) string {
	c.t.Helper()
	endpoint := c.Inspect().NetworkSettings.Networks[networkName]
	switch {
	case endpoint == nil:
		c.t.Fatalf("container %s is not on network %s", c.Name, networkName)
	case endpoint.IPAddress.IsValid():
		return endpoint.IPAddress.String()
	case endpoint.GlobalIPv6Address.IsValid():
		return endpoint.GlobalIPv6Address.String()
	}
	c.t.Fatalf("container %s has no address on network %s", c.Name, networkName)
	return ""
}

// Published is the first host address that its port is published on.
func (c *Container) Published(port string) string {
	c.t.Helper()
	bindings := c.Inspect().NetworkSettings.Ports[network.MustParsePort(port)]
	if len(bindings) == 0 {
		c.t.Fatalf("container %s does not publish %s", c.Name, port)
	}
	return netip.AddrPortFrom(bindings[0].HostIP, network.MustParsePort(bindings[0].HostPort).Num()).String()
}

// Logs is what it has written so far.
func (c *Container) Logs() string {
	ctx, cancel := cleaning()
	defer cancel()
	logs, err := c.e.Client.ContainerLogs(ctx, c.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "50"})
	if err != nil {
		return err.Error()
	}
	defer func() { _ = logs.Close() }()
	var both writer
	_, _ = stdcopy.StdCopy(&both, &both, logs)
	return string(both)
}

type writer []byte

func (w *writer) Write(p []byte) (int, error) { *w = append(*w, p...); return len(p), nil }

var _ io.Writer = (*writer)(nil)
