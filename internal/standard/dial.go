package standard

import (
	"context"
	"errors"
	"net"

	"rgate/internal/config"
	"rgate/internal/upstream"
)

// connect is a connection to an endpoint: an idle one, unless it has to be fresh.
// With sure the request cannot be sent twice. The error says more than the
// outcome, where there is more to be said.
func (e *Engine) connect(to *upstream.Endpoint, cfg *config.Config, fresh, sure bool) (*upstreamConn, upstream.Outcome, error) {
	if !fresh {
		if c := e.pools.take(to, sure); c != nil {
			c.reused = true
			return c, upstream.None, nil
		}
	}
	ctx, cancel := context.WithTimeout(e.ctx, cfg.Timeouts.Connect)
	defer cancel()
	c, err := e.dial(ctx, to)
	for noDescriptor(err) && e.pools.shed() {
		c, err = e.dial(ctx, to)
	}
	switch {
	case err == nil:
		return c, upstream.None, nil
	case errors.Is(err, context.Canceled):
		return nil, upstream.Canceled, nil // rgate ends
	case isTimeout(err):
		return nil, upstream.ConnectTimedOut, nil
	}
	o := upstream.Undialled(err)
	if to.Link == nil {
		err = nil // the outcome says it all
	}
	return nil, o, err
}

// dial makes a connection, with TLS where the endpoint is spoken to so.
func (e *Engine) dial(ctx context.Context, to *upstream.Endpoint) (*upstreamConn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", to.Address)
	if err != nil {
		return nil, err
	}
	c := &upstreamConn{Conn: conn, to: to, sight: sightOf(conn)}
	if to.Link == nil {
		return c, nil
	}
	if c.secure, err = to.Link.Secure(ctx, conn, to.Host()); err != nil {
		return nil, err
	}
	c.Conn = c.secure
	return c, nil
}
