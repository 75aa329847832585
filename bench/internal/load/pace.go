//go:build linux

package load

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"rgate/bench/internal/socket"
)

// pace says when requests are due at a constant rate. It does not know who
// sends them: what could not be sent in time stays due at its own moment.
type pace struct {
	fd       int32 // a timer that wakes the loop
	interval time.Duration
	due      time.Time // of the next request
}

// shortestTick bounds how often the timer alone wakes the loop.
const shortestTick = 25 * time.Microsecond

func newPace(rate float64, poller *socket.Poller) (*pace, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot make a timer: %w", err)
	}
	p := &pace{fd: int32(fd), interval: time.Duration(float64(time.Second) / rate)}
	tick := unix.NsecToTimespec(int64(max(p.interval, shortestTick)))
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: tick, Value: tick}, nil); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("cannot set a timer: %w", err)
	}
	if err := poller.AddReader(fd); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return p, nil
}

func (p *pace) close() { unix.Close(int(p.fd)) }

// start makes the first request due.
func (p *pace) start(at time.Time) { p.due = at }

// tick rearms the timer, which runs on only once it is read.
func (p *pace) tick() {
	var expirations [8]byte
	_, _ = unix.Read(int(p.fd), expirations[:])
}

// take is the moment at which the next request was due, if that has come.
func (p *pace) take(now time.Time) (due time.Time, ok bool) {
	if now.Before(p.due) {
		return due, false
	}
	due = p.due
	p.due = p.due.Add(p.interval)
	return due, true
}
