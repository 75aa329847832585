package enginetest

import (
	"os"
	"strings"
	"syscall"
)

// unmount frees what a killed daemon left mounted, so that its files can go.
func (d *daemon) unmount() {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	lines := strings.Split(string(mounts), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		fields := strings.Fields(lines[i])
		if len(fields) > 4 && (strings.HasPrefix(fields[4], d.run+"/") || strings.HasPrefix(fields[4], d.dir+"/")) {
			_ = syscall.Unmount(fields[4], syscall.MNT_DETACH)
		}
	}
}
