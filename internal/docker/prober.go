package docker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"
)

// A container runs before it listens, and its address may be none that rgate
// can reach. So an address counts once it has accepted a connection, and keeps
// counting until the container starts again or changes its networks: whether
// it still listens then is for the attempts of requests to find out.

// proof is what is known of an address.
type proof int

const (
	untried     proof = iota // no probe has ended yet
	accepts                  // it took a connection
	refuses                  // it can be reached, but nothing listens
	unreachable              // it cannot be reached
)

// probeKey is an address of one run of a container.
type probeKey struct {
	id      string
	started int64
	addr    string
}

// prober probes addresses until they accept. What it starts ends with close.
type prober struct {
	timing  timing
	changed chan struct{} // gets a token when a proof changed
	turn    chan struct{} // bounds the dials at once
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	probes map[probeKey]*probe
}

// probe is one address being probed or proven.
type probe struct {
	proof  proof
	detail string
	cancel context.CancelFunc
}

func newProber(t timing) *prober {
	p := &prober{timing: t, changed: make(chan struct{}, 1), turn: make(chan struct{}, 32), probes: map[probeKey]*probe{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// close ends all probes and waits for them.
func (p *prober) close() {
	p.cancel()
	p.running.Wait()
}

// look is what is known of an address; unless asked to look only, it begins to
// probe one it does not know.
func (p *prober) look(key probeKey, only bool) (proof, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.probes[key]; known != nil {
		return known.proof, known.detail
	}
	if !only {
		ctx, cancel := context.WithCancel(p.ctx)
		begun := &probe{cancel: cancel}
		p.probes[key] = begun
		p.running.Go(func() { p.run(ctx, key.addr, begun) })
	}
	return untried, ""
}

// retain drops the probes of addresses nobody wants any more.
func (p *prober) retain(wanted map[probeKey]bool) {
	p.drop(func(key probeKey) bool { return !wanted[key] })
}

// drop forgets what is known of some addresses.
func (p *prober) drop(which func(probeKey) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, known := range p.probes {
		if which(key) {
			known.cancel()
			delete(p.probes, key)
		}
	}
}

// forgetFailures has every address that does not accept tried anew at once.
func (p *prober) forgetFailures() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, known := range p.probes {
		if known.proof != accepts {
			known.cancel()
			delete(p.probes, key)
		}
	}
}

// run probes one address until it accepts.
func (p *prober) run(ctx context.Context, addr string, known *probe) {
	defer known.cancel()
	begun, pause := time.Now(), p.timing.probe
	for {
		select {
		case p.turn <- struct{}{}:
		case <-ctx.Done():
			return
		}
		result, detail := dial(ctx, addr, p.timing.dial)
		<-p.turn
		if ctx.Err() != nil {
			return
		}
		p.tell(known, result, detail)
		if result == accepts {
			return
		}
		if time.Since(begun) > p.timing.probeMany {
			pause *= 2
		}
		ceiling := p.timing.probeSlow
		if result == unreachable {
			ceiling = p.timing.probeRare
		}
		pause = min(pause, ceiling)
		select {
		case <-time.After(pause + rand.N(pause/8+1)):
		case <-ctx.Done():
			return
		}
	}
}

func (p *prober) tell(known *probe, result proof, detail string) {
	p.mu.Lock()
	changed := known.proof != result
	known.proof, known.detail = result, detail
	p.mu.Unlock()
	if !changed {
		return
	}
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// dial tries one connection.
func dial(ctx context.Context, addr string, timeout time.Duration) (proof, string) {
	d := net.Dialer{Timeout: timeout}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err == nil {
		_ = conn.Close()
		return accepts, ""
	}
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) {
		return refuses, ""
	}
	var timedOut net.Error
	if errors.As(err, &timedOut) && timedOut.Timeout() {
		return unreachable, fmt.Sprintf("%s has not answered within %v", addr, timeout)
	}
	return unreachable, err.Error()
}

// settle completes a verdict by what is known of its addresses: the first that
// accepts is taken. One that refuses can be reached, so nothing after it is
// tried: a published port behind the engine's proxy would accept at once, long
// before the container listens.
func settle(v *verdict, look func(addr string) (proof, string)) {
	if v.Reason != "" {
		return
	}
	v.Reason = "not tried yet"
	for _, addr := range v.tries {
		known, detail := look(addr)
		switch known {
		case accepts:
			v.Address, v.Reason = addr, ""
			return
		case refuses:
			v.Address, v.Reason = addr, "not listening yet on "+addr
			return
		case unreachable:
			v.Reason, v.fault = "unreachable: "+detail, true
		case untried:
			v.Reason, v.fault = "not tried yet: "+addr, false
			return
		}
	}
}
