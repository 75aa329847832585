//go:build linux

package peer

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the processor time that processes have used, in user and kernel mode,
// by the scheduler's own account: exact to the nanosecond, ended threads
// included.
func CPU(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		const scheduler = 2 // CPUCLOCK_SCHED; see clock_getcpuclockid(3)
		var used unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|scheduler), &used); err != nil {
			return 0, fmt.Errorf("cannot read the processor time of process %d: %w", pid, err)
		}
		sum += time.Duration(used.Nano())
	}
	return sum, nil
}

// Memory is how much of it processes have resident.
type Memory struct {
	Now, Peak int64 // bytes
}

// Memory is that of the processes which do the work: all but a parent that
// only watches over them.
func (r *Process) Memory() (Memory, error) {
	pids := r.pids
	if len(pids) > 1 {
		pids = pids[1:]
	}
	var sum Memory
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return sum, fmt.Errorf("cannot read the memory of %s: %w", r.Name, err)
		}
		sum.Now += statusBytes(string(text), "VmRSS:")
		sum.Peak += statusBytes(string(text), "VmHWM:")
	}
	return sum, nil
}

// statusBytes reads one line of /proc/PID/status, which says kB and means KiB.
func statusBytes(status, name string) int64 {
	_, rest, _ := strings.Cut(status, "\n"+name)
	n, _ := strconv.ParseInt(word(rest, 0), 10, 64)
	return n << 10
}
