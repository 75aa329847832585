//go:build linux

package main

import (
	"maps"
	"syscall"

	"rgate/soak/internal/verdict"
)

// upgrades has one rgate replaced by the next.
func upgrades(p *play) {
	const times = 20
	p.front.retries = nil // each process has counters of its own
	pid := p.rgate.first.cmd.Process.Pid
	p.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGTERM) }) // the last of them is no child of ours
	for range times {
		if err := syscall.Kill(pid, syscall.SIGUSR2); err != nil {
			p.Fatalf("cannot signal rgate: %v", err)
		}
		next := 0
		p.until("a new process serves", func() bool {
			for line := range p.rgate.lines() {
				if line.PID == pid && line.NewPID != 0 {
					next = line.NewPID
				}
			}
			return next != 0
		})
		pid = next
		p.pause(calm / 10)
	}
	if p.rgate.ready() != len(p.fleet) {
		p.Fatalf("after %d upgrades rgate knows %d containers:\n%s", times, p.rgate.ready(), p.rgate.tail())
	}
}

// takeOver starts a second rgate on the socket of the first, which then ends.
func takeOver(p *play) {
	first, second := p.rgate, newRgate(p.stage, p.house.binary, p.config())
	p.keep(second.dir, "second")
	second.handed = first.handed
	second.serve("second")
	p.until("the second rgate knows all containers", func() bool { return second.ready() == len(p.fleet) })
	p.front.retries = nil
	p.front.faults = func() map[string]verdict.Fault {
		all := first.faults()
		maps.Copy(all, second.faults())
		return all
	}
	_ = first.first.cmd.Process.Signal(syscall.SIGTERM)
	p.until("the first rgate has ended", func() bool {
		select {
		case <-first.first.ended:
			return true
		default:
			return false
		}
	})
}
