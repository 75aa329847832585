package gateway

import (
	"context"
	"errors"
	"net"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/upstream"
)

// engine moves the bytes.
type engine interface {
	// Serve accepts from the listeners, and from those that Open is given, until
	// Shutdown.
	Serve(listeners ...*listen.Listener) error
	Open(l *listen.Listener) error
	// Drain accepts no more from l and lets its connections end; Cut ends them.
	// Neither waits: l tells when it is gone.
	Drain(l *listen.Listener, linger time.Duration)
	Cut(l *listen.Listener)
	// Shutdown ends what is in flight and closes idle client connections after
	// linger without a request.
	Shutdown(ctx context.Context, linger time.Duration) error
	Forget(e *upstream.Endpoint)
}

// pair is the event loop, which takes all connections, with the standard
// engine behind it for what the loop hands over.
type pair struct {
	front, behind engine
	handed        net.Listener
}

// Serve serves with the loop, and what that hands over with the standard engine.
func (p *pair) Serve(listeners ...*listen.Listener) error {
	behind := make(chan error, 1)
	go func() { behind <- p.behind.Serve(listen.New(p.handed, config.Listener{})) }()
	err := p.front.Serve(listeners...)
	_ = p.handed.Close() // cannot fail
	return errors.Join(err, <-behind)
}

// Open has the loop accept from l.
func (p *pair) Open(l *listen.Listener) error { return p.front.Open(l) }

// Drain lets end what came by l, in both.
func (p *pair) Drain(l *listen.Listener, linger time.Duration) {
	p.front.Drain(l, linger)
	p.behind.Drain(l, linger)
}

// Cut ends what is left of that.
func (p *pair) Cut(l *listen.Listener) {
	p.front.Cut(l)
	p.behind.Cut(l)
}

// Shutdown ends the loop first: until then it may still hand over.
func (p *pair) Shutdown(ctx context.Context, linger time.Duration) error {
	return errors.Join(p.front.Shutdown(ctx, linger), p.behind.Shutdown(ctx, linger))
}

// Forget closes the idle connections to e.
func (p *pair) Forget(e *upstream.Endpoint) {
	p.front.Forget(e)
	p.behind.Forget(e)
}
