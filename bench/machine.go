//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"rgate/bench/internal/peer"
)

// machine says what runs on which processor.
type machine struct {
	gateway, load, origin peer.Place
	note                  string
}

// newMachine spreads the parts over the processors that the bench may use.
func newMachine(nice int) (machine, error) {
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
		m.note = "only one processor: the load takes from what it measures"
	}
	return m, nil
}

func (m machine) String() string {
	if m.load.CPU == m.origin.CPU {
		return fmt.Sprintf("gateway alone on CPU %d; load and origin together on CPU %d", m.gateway.CPU, m.load.CPU)
	}
	return fmt.Sprintf("gateway alone on CPU %d; load on CPU %d, origin on CPU %d", m.gateway.CPU, m.load.CPU, m.origin.CPU)
}

// turnName is held by the one bench that runs on a machine.
const turnName = "@rgate-bench"

// alone refuses to measure beside another bench, for both would be wrong. The
// abstract socket that says so goes away with its process.
func alone(name string) (io.Closer, error) {
	l, err := net.Listen("unix", name)
	if err != nil {
		return nil, fmt.Errorf("another bench runs on this machine: wait for its end (%w)", err)
	}
	return l, nil
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

// install makes sure that the tools are there, by Debian's packages if not.
func install(missing func(string) bool, run func(argv ...string) error) error {
	var packages []string
	for _, tool := range []string{"nginx", "haproxy"} {
		if missing(tool) {
			packages = append(packages, tool)
		}
	}
	if missing("taskset") {
		packages = append(packages, "util-linux")
	}
	if len(packages) == 0 {
		return nil
	}
	fix := "apt-get install --no-install-recommends " + strings.Join(packages, " ")
	if os.Geteuid() != 0 || missing("apt-get") {
		return fmt.Errorf("%s missing: install with `sudo %s`, or what your system has for that", strings.Join(packages, ", "), fix)
	}
	if err := run(append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends"}, packages...)...); err == nil {
		return nil
	}
	// Most often the lists of packages are old, or there are none yet.
	err := run("apt-get", "update", "-q")
	if err == nil {
		err = run(append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends"}, packages...)...)
	}
	if err != nil {
		return fmt.Errorf("cannot install: try `%s`: %w", fix, err)
	}
	return nil
}

func missing(tool string) bool {
	_, err := exec.LookPath(tool)
	return err != nil
}

// apt runs quietly, and keeps the new services from starting by themselves.
func apt(argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.New(strings.TrimSpace(string(out)))
	}
	return nil
}
