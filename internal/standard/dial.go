package standard

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"rgate/internal/config"
	"rgate/internal/upstream"
)

// connect is a connection to an endpoint for x: an idle one, unless it has to be
// fresh. With sure the request cannot be sent twice. The error says more than the
// outcome, where there is more to be said.
func (x *exchange) connect(to *upstream.Endpoint, fresh, sure bool) (*upstreamConn, upstream.Outcome, error) {
	e, cfg, link := x.engine(), x.client.config(), to.Link
	if !fresh && !link.HTTP2() && !link.Alone() {
		if c := e.pools.take(to, sure); c != nil {
			c.reused = true
			return c, upstream.None, nil
		}
	}
	ctx, cancel := context.WithTimeout(e.ctx, cfg.Timeouts.Connect)
	defer cancel()
	c, err := x.reach(ctx, to, cfg, fresh)
	for noDescriptor(err) && e.pools.shed() {
		c, err = x.reach(ctx, to, cfg, fresh)
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
	if link == nil {
		err = nil // the outcome says it all
	}
	return nil, o, err
}

// reach makes a connection as the endpoint wants it, or a stream of one.
func (x *exchange) reach(ctx context.Context, to *upstream.Endpoint, cfg *config.Config, fresh bool) (*upstreamConn, error) {
	e := x.engine()
	switch {
	case !to.Link.Alone() && to.Link.HTTP2():
		return e.branch(ctx, to, cfg, fresh)
	case !to.Link.Alone():
		return e.dial(ctx, to, netip.AddrPort{}, netip.AddrPort{})
	case to.Link.HTTP2():
		return e.lone(ctx, to, cfg, x.from(), addressOf(x.client.LocalAddr()))
	}
	return e.dial(ctx, to, x.from(), addressOf(x.client.LocalAddr()))
}

// from is the address of the client that x is for, with its port where that is
// known: whom a proxy vouches for has none.
func (x *exchange) from() netip.AddrPort {
	a := addressOf(x.client.RemoteAddr())
	if a.Addr() != x.Client {
		a = netip.AddrPortFrom(x.Client, 0)
	}
	return a
}

func addressOf(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	one := tcp.AddrPort()
	return netip.AddrPortFrom(one.Addr().Unmap().WithZone(""), one.Port())
}

// dial makes a connection: with who it is for first, where the endpoint is to know,
// and with TLS where it is spoken to so.
func (e *Engine) dial(ctx context.Context, to *upstream.Endpoint, client, local netip.AddrPort) (*upstreamConn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", to.Address)
	if err != nil {
		return nil, err
	}
	c := &upstreamConn{Conn: conn, to: to, sight: sightOf(conn)}
	if to.Link == nil {
		return c, nil
	}
	if err := to.Link.Introduce(conn, client, local); err != nil {
		_ = conn.Close()
		return nil, err
	}
	if !to.Link.Secure() {
		return c, nil
	}
	if c.secure, err = to.Link.Encrypt(ctx, conn, to.Host()); err != nil {
		return nil, err
	}
	c.Conn = c.secure
	return c, nil
}
