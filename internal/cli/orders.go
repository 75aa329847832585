package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"rgate/internal/gateway"
)

// orders are what signals tell a gateway to do.
type orders struct {
	life    context.Context // ends at SIGINT or SIGTERM
	stop    func()          // ends it too, and hears no more signals
	reload  chan struct{}   // SIGHUP
	upgrade chan struct{}   // SIGUSR2
}

// newOrders hears signals from now on. A second SIGINT or SIGTERM ends the
// process at once.
func newOrders(ctx context.Context) *orders {
	o := &orders{reload: make(chan struct{}, 1), upgrade: make(chan struct{}, 1)}
	var cancel context.CancelFunc
	o.life, cancel = context.WithCancel(ctx)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, append(upgradeSignals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ending := false
		for s := range signals {
			switch s {
			case syscall.SIGHUP:
				give(o.reload)
			case os.Interrupt, syscall.SIGTERM:
				if ending {
					os.Exit(exitFault)
				}
				ending = true
				cancel()
			default:
				give(o.upgrade)
			}
		}
	}()
	o.stop = sync.OnceFunc(func() {
		signal.Stop(signals)
		close(signals)
		<-done
		cancel()
	})
	return o
}

// give leaves a token, unless one is still there.
func give(tokens chan struct{}) {
	select {
	case tokens <- struct{}{}:
	default:
	}
}

// obey has g do what signals say, until it is to end. The gateway logs what
// comes of it.
func (o *orders) obey(g *gateway.Gateway) {
	var under sync.WaitGroup
	defer under.Wait()
	under.Go(func() { // a reload may take its time, and an upgrade need not wait for it
		for o.life.Err() == nil {
			select {
			case <-o.life.Done():
			case <-o.reload:
				_, _ = g.Reload()
			}
		}
	})
	for {
		select {
		case <-o.life.Done():
			return
		case <-o.upgrade: // it takes its time too, and another is told so
			under.Go(func() { _, _ = g.Upgrade() })
		}
	}
}
