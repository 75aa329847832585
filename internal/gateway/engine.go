package gateway

import (
	"context"
	"errors"
	"net"
	"time"

	"rgate/internal/upstream"
)

// engine moves the bytes.
type engine interface {
	Serve(l net.Listener) error
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

// Serve serves l with the loop and what it hands over with the standard engine.
func (p *pair) Serve(l net.Listener) error {
	behind := make(chan error, 1)
	go func() { behind <- p.behind.Serve(p.handed) }()
	err := p.front.Serve(l)
	_ = p.handed.Close() // cannot fail
	return errors.Join(err, <-behind)
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
