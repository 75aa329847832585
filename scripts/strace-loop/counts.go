//go:build linux

package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// counts are how often each system call was made by one thread.
type counts map[string]int

// trace counts the system calls of each thread of a process while f runs.
func trace(ctx context.Context, pid int, file string, f func() error) (map[string]counts, error) {
	cmd := exec.CommandContext(ctx, "strace", "-f", "-s", "0", "-e", "signal=none", "-o", file, "-p", strconv.Itoa(pid))
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start strace: %w", err)
	}
	said := bufio.NewReader(out)
	first, err := said.ReadString('\n')
	attached := err == nil && strings.Contains(first, "attached")
	if attached {
		err = f()
	} else {
		err = fmt.Errorf("strace cannot attach: %q", first)
	}
	_ = cmd.Process.Signal(syscall.SIGINT) // it detaches
	_, _ = io.Copy(io.Discard, said)
	_ = cmd.Wait() // it ends by the signal
	if err != nil {
		return nil, err
	}
	log, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parse(string(log)), nil
}

// parse reads strace's log: a thread's number and what it calls.
func parse(log string) map[string]counts {
	threads := map[string]counts{}
	for line := range strings.Lines(log) {
		thread, call, _ := strings.Cut(line, " ")
		name, _, ok := strings.Cut(strings.TrimSpace(call), "(")
		if !ok || strings.HasPrefix(name, "<...") || strings.HasPrefix(name, "+++") {
			continue // the second half of a call, or a thread's end
		}
		if threads[thread] == nil {
			threads[thread] = counts{}
		}
		threads[thread][name]++
	}
	return threads
}

// The kinds of calls; every other is one too many. Those of Go's scheduler come
// with time: it takes the processor from a thread that waits longer than 20 µs,
// and signals one that has run for 10 ms. Between strace's stops every request
// takes long, so these are some in a hundred requests; without it, next to none.
var (
	clock = []string{"futex", "rt_sigreturn", "sched_yield"}
	moves = []string{"read", "write", "sendto", "readv", "writev", "recvmsg", "sendmsg"}
	looks = []string{"recvfrom"} // whether an idle connection is silent
	waits = []string{"epoll_wait", "epoll_pwait", "epoll_pwait2"}
)

// of is how many calls of these names were made.
func (c counts) of(names []string) int {
	n := 0
	for _, name := range names {
		n += c[name]
	}
	return n
}

func (c counts) all() int { return c.of(slices.Collect(maps.Keys(c))) }

// split tells the loop that had the connection from the rest: its thread is the
// one that moved the most. The rest is the idle loops and Go's runtime, whose
// calls come with time, not with requests, and strace stretches time.
func split(threads map[string]counts) (loop, rest counts) {
	loop, rest = counts{}, counts{}
	busiest := ""
	for thread, c := range threads {
		if busiest == "" || c.of(moves) > threads[busiest].of(moves) {
			busiest = thread
		}
	}
	for thread, c := range threads {
		into := rest
		if thread == busiest {
			into = loop
		}
		for name, n := range c {
			into[name] += n
		}
	}
	return loop, rest
}

func (c counts) print(w io.Writer, title string, requests int) {
	fmt.Fprintf(w, "%-24s %8s %12s\n", title, "calls", "per request")
	names := slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		return cmp.Or(c[b]-c[a], strings.Compare(a, b))
	})
	for _, name := range names {
		fmt.Fprintf(w, "%-24s %8d %12.3f\n", name, c[name], float64(c[name])/float64(requests))
	}
}

const (
	// maxWaits is one look and one wait for each of a request's two events, and
	// a tenth for ticks of the clock.
	maxWaits = 4.1
	// maxClock tells what comes with time from what comes with each request.
	maxClock = 0.5
)

// judge tells whether a request cost the loop no more than it must.
func judge(loop, rest counts, requests int) error {
	moved, waited, clocked := loop.of(moves)+rest.of(moves), loop.of(waits), loop.of(clock)
	looked := loop.of(looks) + rest.of(looks)
	other := loop.all() - loop.of(moves) - loop.of(looks) - waited - clocked
	n := float64(requests)
	var all []error
	if want := 4 * requests; moved < want-want/100 || moved > want+want/100 {
		all = append(all, fmt.Errorf("%d reads and writes in %d requests, not 4 in each", moved, requests))
	}
	if looked > requests+requests/100 {
		all = append(all, fmt.Errorf("%d looks at connections in %d requests, more than 1 in each", looked, requests))
	}
	if float64(waited) > maxWaits*n {
		all = append(all, fmt.Errorf("%d waits in %d requests, more than %g in each", waited, requests, maxWaits))
	}
	if float64(clocked) > maxClock*n {
		all = append(all, fmt.Errorf("%d calls of the scheduler in %d requests, more than %g in each", clocked, requests, maxClock))
	}
	if other*100 >= requests {
		all = append(all, fmt.Errorf("%d other calls in %d requests", other, requests))
	}
	return errors.Join(all...)
}
