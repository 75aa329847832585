//go:build linux

package loop

import "iter"

// stepper runs what must be able to stop in the middle, on the loop's own thread:
// TLS handshakes, which crypto/tls cannot resume after an error. A goroutine beside
// the loop would cost two changes of thread for each time that it waits. Loops keep
// some of them, with the stacks that they have grown.
type stepper struct {
	work  func()              // of the moment
	next  func() (bool, bool) // goes on until it is done, or pauses
	stop  func()
	yield func(done bool) bool
}

func newStepper() *stepper {
	p := &stepper{}
	p.next, p.stop = iter.Pull(func(yield func(bool) bool) {
		p.yield = yield
		for {
			p.work()
			p.work = nil
			if !yield(true) {
				return
			}
		}
	})
	return p
}

// step goes on with the work, and tells whether it is done.
func (p *stepper) step() (done bool) {
	done, _ = p.next()
	return done
}

// pause is called by the work, and returns at the next step.
func (p *stepper) pause() { p.yield(false) }

// maxSteppers bounds what a loop keeps of them.
const maxSteppers = 64

func (l *loop) getStepper() *stepper {
	if n := len(l.steppers); n > 0 {
		p := l.steppers[n-1]
		l.steppers = l.steppers[:n-1]
		return p
	}
	return newStepper()
}

// putStepper takes back one whose work is done.
func (l *loop) putStepper(p *stepper) {
	if len(l.steppers) < maxSteppers {
		l.steppers = append(l.steppers, p)
	} else {
		p.stop()
	}
}

// endSteppers ends those that are kept, which are goroutines.
func (l *loop) endSteppers() {
	for _, p := range l.steppers {
		p.stop()
	}
	l.steppers = nil
}
