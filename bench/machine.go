//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"rgate/bench/internal/peer"
)

// machine says what runs on which processor.
type machine struct {
	gateway, load, origin peer.Place
	notes                 []string
}

// newMachine spreads the parts over the processors that the bench may use. In a
// batch, the threads of a gateway that share its processor do not interrupt one
// another: what they cost more than one thread is then what they share, as
// where each has a processor of its own.
func newMachine(nice int, batch bool) (machine, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return machine{}, fmt.Errorf("cannot tell which processors there are: %w", err)
	}
	var cpus []int
	for cpu := range 1024 {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	at := func(i int) peer.Place { return peer.Place{CPU: cpus[min(i, len(cpus)-1)], Nice: nice} }
	m := machine{gateway: at(0), load: at(1), origin: at(2)}
	if len(cpus) == 1 {
		m.notes = append(m.notes, "only one processor: the load takes from what it measures")
	}
	if m.gateway.Batch = batch; batch {
		m.notes = append(m.notes, "several loops on one processor: the gateways run under SCHED_BATCH, so that threads take turns only when they wait")
	}
	return m, nil
}

func (m machine) String() string {
	if m.load.CPU == m.origin.CPU {
		return fmt.Sprintf("gateway alone on CPU %d; load and origin together on CPU %d", m.gateway.CPU, m.load.CPU)
	}
	return fmt.Sprintf("gateway alone on CPU %d; load on CPU %d, origin on CPU %d", m.gateway.CPU, m.load.CPU, m.origin.CPU)
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return fmt.Sprintf("%s, %d CPUs", strings.TrimSpace(value), runtime.NumCPU())
		}
	}
	return fmt.Sprintf("%s, %d CPUs", runtime.GOARCH, runtime.NumCPU())
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

// loadNote warns of a machine that is busy with something else.
func loadNote() string {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return ""
	}
	if load := float64(info.Loads[0]) / (1 << 16); load > 1 {
		return fmt.Sprintf("the machine was busy when this began: load average %.1f", load)
	}
	return ""
}
