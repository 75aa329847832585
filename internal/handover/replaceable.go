package handover

import (
	"errors"
	"os"
	"slices"
	"strings"
)

// inits are programs that are a container's process 1 only to run another, and
// end with it.
var inits = []string{"docker-init", "tini", "dumb-init", "catatonit"}

// Replaceable is nil where this process may end while its successor lives on.
// The main process of a container may not: the container would end with it.
func (i *Inheritance) Replaceable() error {
	if i.successor {
		return nil // it was so for the predecessor
	}
	first, _ := os.ReadFile("/proc/1/comm") // unreadable is unknown
	return replaceable(os.Getpid(), os.Getppid(), strings.TrimSpace(string(first)))
}

func replaceable(pid, parent int, first string) error {
	if pid == 1 || parent == 1 && slices.Contains(inits, first) {
		return errors.New("rgate is this container's main process, and its end would end the container: start a container of the new image and stop this one instead")
	}
	return nil
}
