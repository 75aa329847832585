//go:build unix

package proxy

import (
	"math"
	"sync"

	"golang.org/x/sys/unix"
)

// descriptors is how many the process may have; 0 for no bound. Go has raised
// that to what is allowed by the time it is asked.
var descriptors = sync.OnceValue(func() int {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil || uint64(l.Cur) > math.MaxInt32 {
		return 0
	}
	return int(l.Cur)
})
