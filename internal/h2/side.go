package h2

import (
	"os"
	"sync"
	"time"
)

// side is one direction of a stream, and who waits for it.
type side struct {
	until time.Time
	wake  chan struct{}
	timer *time.Timer
}

// signal has who waits look again.
func (d *side) signal() {
	if d.wake == nil {
		return
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// late tells whether the deadline is over.
func (d *side) late() error {
	if !d.until.IsZero() && !time.Now().Before(d.until) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// wait lets go of mu until there is a signal or the deadline is over.
func (d *side) wait(mu *sync.Mutex) error {
	if err := d.late(); err != nil {
		return err
	}
	if d.wake == nil {
		d.wake = make(chan struct{}, 1)
	}
	var over <-chan time.Time
	if !d.until.IsZero() {
		if d.timer == nil {
			d.timer = time.NewTimer(time.Until(d.until))
		} else {
			d.timer.Reset(time.Until(d.until))
		}
		defer d.timer.Stop()
		over = d.timer.C
	}
	mu.Unlock()
	select {
	case <-d.wake:
	case <-over:
	}
	mu.Lock()
	return d.late()
}
