package docker

import (
	"context"
	"fmt"
	"net"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// place is where rgate stands as seen from the engine's containers, on which
// depends what addresses can be reached.
type place struct {
	self     string          // id of rgate's own container; "" outside of one
	host     string          // where published ports and host-network containers are reached; "" for nowhere
	direct   bool            // containers' own addresses are expected to be reachable
	networks map[string]bool // ids of the networks rgate's own container is on; nil outside of one
}

// findPlace asks the engine; what it does not tell is taken for the usual.
func (e *Engine) findPlace(ctx context.Context, c *connection) (place, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timing.patience)
	defer cancel()
	p := place{host: e.target.host(), direct: e.target.local() && runtime.GOOS == "linux"}
	info, err := c.Info(ctx, client.InfoOptions{})
	if lost(ctx, err) {
		return p, fmt.Errorf("cannot ask what the engine runs on: %w", err)
	}
	if err == nil && !showsNetworks(info.Info.OperatingSystem, info.Info.SecurityOptions) {
		p.direct = false
	}
	self, err := e.findSelf(ctx, c)
	if err != nil {
		return p, err
	}
	if self != nil {
		p = p.inside(*self)
	}
	return p, nil
}

// showsNetworks tells whether the engine's networks are the machine's: those
// of Docker Desktop are in a virtual machine, those of a rootless engine in a
// network namespace, where the same addresses may mean others' containers.
func showsNetworks(system string, security []string) bool {
	return system != "Docker Desktop" && !slices.ContainsFunc(security, func(s string) bool {
		return strings.HasPrefix(s, "name=rootless")
	})
}

// inside is the place of rgate in a container of the engine.
func (p place) inside(self container.InspectResponse) place {
	p.self = self.ID
	if self.HostConfig != nil && self.HostConfig.NetworkMode.IsHost() {
		p.direct = true
		return p
	}
	if self.NetworkSettings == nil {
		return p
	}
	p.direct, p.networks, p.host = true, map[string]bool{}, ""
	for _, a := range attachments(self.NetworkSettings.Networks) {
		p.networks[a.id] = true
		if gateway := self.NetworkSettings.Networks[a.name].Gateway; gateway.IsValid() && p.host == "" {
			p.host = gateway.String() // loopback would be rgate's own
		}
	}
	return p
}

// onHost tells whether the loopback addresses of the engine's host are rgate's.
func (p place) onHost() bool {
	ip := net.ParseIP(p.host)
	return p.host == "localhost" || ip != nil && ip.IsLoopback()
}

// findSelf is rgate's own container on the engine; nil where it is in none, or
// in one of another engine.
func (e *Engine) findSelf(ctx context.Context, c *connection) (*container.InspectResponse, error) {
	ids := []string{e.container}
	if e.container == "" {
		cgroup, _ := os.ReadFile("/proc/self/cgroup")
		hostname, _ := os.Hostname()
		ids = ownIDs(readMountinfo(), string(cgroup), hostname)
	}
	for _, id := range ids {
		answer, err := c.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err == nil {
			return &answer.Container, nil
		}
		if lost(ctx, err) {
			return nil, fmt.Errorf("cannot ask for rgate's own container: %w", err)
		}
	}
	return nil, nil
}

// mountedID is the root of a file that an engine mounts into each container.
var mountedID = regexp.MustCompile(`/containers/([0-9a-f]{64})/`)

// cgroupID is a container's group, as the drivers cgroupfs and systemd name it.
var cgroupID = regexp.MustCompile(`docker[/-]([0-9a-f]{64})`)

var hostnameID = regexp.MustCompile(`^[0-9a-f]{12}$`)

// ownIDs are ids that rgate's own container may have, the surest first.
func ownIDs(mountinfo, cgroup, hostname string) []string {
	var ids []string
	add := func(id string) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 5 || !slices.Contains([]string{"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"}, fields[4]) {
			continue // on an engine's own machine, mounts of its containers show as well
		}
		if m := mountedID.FindStringSubmatch(fields[3]); m != nil {
			add(m[1])
		}
	}
	if m := cgroupID.FindStringSubmatch(cgroup); m != nil {
		add(m[1])
	}
	if hostnameID.MatchString(hostname) {
		add(hostname)
	}
	return ids
}
