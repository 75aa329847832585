//go:build !linux

package enginetest

// unmount has nothing to do: private daemons are for Linux.
func (d *daemon) unmount() {}
