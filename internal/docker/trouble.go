package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// explain says why the engine cannot be asked and what an operator can do.
// mountinfo is what /proc/self/mountinfo holds.
func explain(err error, t target, patience time.Duration, mountinfo string) string {
	socket := t.scheme == "unix"
	switch {
	case socket && errors.Is(err, os.ErrPermission):
		return fmt.Sprintf("permission denied on %s: run rgate as a member of the group that owns the socket "+
			"(usually docker; in a container: --group-add \"$(stat -c %%g %s)\"), or behind a socket proxy", t.addr, t.addr)
	case socket && isMountPoint(mountinfo, t.addr) &&
		(errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)):
		return fmt.Sprintf("the bind-mounted socket %s is stale, since the engine made a new one when it restarted: "+
			"mount its directory (such as -v /var/run:/var/run) in place of the socket", t.addr)
	case socket && errors.Is(err, os.ErrNotExist):
		return fmt.Sprintf("there is no socket %s: start Docker, or name the engine by docker.host or DOCKER_HOST "+
			"(in a container, mount the socket's directory)", t.addr)
	case socket && errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nothing listens on %s: start Docker (in a container whose mounted socket went stale, "+
			"mount the socket's directory in its place)", t.addr)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("the engine at %s has not answered within %v", t, patience)
	}
	return excerpt(err.Error(), 500) // some of it is what the engine said
}

// isMountPoint tells whether something is mounted at exactly this path.
func isMountPoint(mountinfo, path string) bool {
	candidates := []string{path}
	if rest, ok := strings.CutPrefix(path, "/var/run/"); ok {
		candidates = append(candidates, "/run/"+rest) // /var/run is a link to /run
	}
	for line := range strings.Lines(mountinfo) {
		if fields := strings.Fields(line); len(fields) > 4 && slices.Contains(candidates, fields[4]) {
			return true
		}
	}
	return false
}

func readMountinfo() string {
	content, _ := os.ReadFile("/proc/self/mountinfo") // not on every system
	return string(content)
}
