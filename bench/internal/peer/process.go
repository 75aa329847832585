//go:build linux

package peer

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 15 * time.Second
	stopTimeout  = 3 * time.Second
	retryEvery   = 10 * time.Millisecond
)

// Place is where among the machine's processors something runs.
type Place struct {
	CPU   int
	Nice  int  // 0 for the usual priority
	Batch bool // whether one that wakes up waits for its turn: SCHED_BATCH, see sched(7)
}

// Command runs argv there. The tools that it goes through replace themselves,
// so the process keeps its id. It is the leader of a process group.
func (p Place) Command(argv ...string) *exec.Cmd {
	argv = append([]string{"taskset", "-c", strconv.Itoa(p.CPU)}, argv...)
	if p.Batch {
		argv = append([]string{"chrt", "--batch", "0"}, argv...)
	}
	if p.Nice != 0 {
		argv = append([]string{"nice", "-n", strconv.Itoa(p.Nice)}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	// An interrupt on the terminal is for the bench, which then stops its own.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// Process is a peer that runs.
type Process struct {
	Peer
	Site Site
	pids []int // the first is the one that was started
	out  output
	gone chan struct{} // closed once it has ended
}

// Start runs a peer and waits until it accepts connections.
func (p Peer) Start(s Site, at Place) (*Process, error) {
	argv, err := p.command(s)
	if err != nil {
		return nil, err
	}
	cmd := at.Command(argv...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), "HOME="+s.Dir)
	if p.procs > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", p.procs))
	}
	r := &Process{Peer: p, Site: s, gone: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &r.out, &r.out
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", p.Name, err)
	}
	r.pids = []int{cmd.Process.Pid}
	go func() {
		defer close(r.gone)
		_ = cmd.Wait() // how it ended shows in its output
	}()
	if err := r.await(); err != nil {
		r.Stop()
		return nil, err
	}
	if err := r.count(); err != nil {
		r.Stop()
		return nil, err
	}
	return r, nil
}

// count finds the workers of a peer that has some. Its master listens before
// it starts them.
func (r *Process) count() error {
	deadline := time.Now().Add(startTimeout)
	for {
		found, err := children(r.pids[0])
		if err != nil {
			return err
		}
		if len(found) >= r.workers {
			r.pids = append(r.pids, found...)
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s has %d workers, not %d: %s", r.Name, len(found), r.workers, r.out.String())
		}
		time.Sleep(retryEvery)
	}
}

// await returns once the peer accepts connections.
func (r *Process) await() error {
	deadline := time.After(startTimeout)
	for {
		c, err := net.DialTimeout("tcp", r.Site.Listen.String(), time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case <-r.gone:
			return fmt.Errorf("%s ended at once: %s", r.Name, r.out.String())
		case <-deadline:
			return fmt.Errorf("%s does not listen: %s", r.Name, r.out.String())
		case <-time.After(retryEvery):
		}
	}
}

// PIDs are the processes of the peer.
func (r *Process) PIDs() []int { return r.pids }

// Output is what the peer said last.
func (r *Process) Output() string { return r.out.String() }

// Alive tells whether it still runs.
func (r *Process) Alive() bool {
	select {
	case <-r.gone:
		return false
	default:
		return true
	}
}

// Stop ends the peer, and whatever it has started.
func (r *Process) Stop() {
	group := -r.pids[0]
	_ = syscall.Kill(r.pids[0], syscall.SIGTERM)
	select {
	case <-r.gone:
	case <-time.After(stopTimeout):
	}
	// Ends what is left of the group, most often nobody.
	if err := syscall.Kill(group, syscall.SIGKILL); err == nil || !errors.Is(err, syscall.ESRCH) {
		<-r.gone
	}
}

// children are the direct children of a process.
func children(pid int) ([]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, fmt.Errorf("cannot list the processes of a peer: %w", err)
	}
	var pids []int
	for _, field := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("cannot read a process id: %w", err)
		}
		pids = append(pids, child)
	}
	return pids, nil
}

// output keeps the end of what a process says.
type output struct {
	mu   sync.Mutex
	text []byte
}

const keptOutput = 2 << 10

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	if len(o.text) > keptOutput {
		o.text = bytes.Clone(o.text[len(o.text)-keptOutput:])
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.TrimSpace(string(o.text))
}
