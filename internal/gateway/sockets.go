package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// ErrSocket is that a socket which this process was handed is not the one that
// the configuration wants.
var ErrSocket = errors.New("cannot use the sockets that were passed")

// defaultListen is where traffic comes in if nobody says otherwise.
const defaultListen = ":8080"

// openListener takes the inherited listening socket, or opens one.
func (g *Gateway) openListener() error {
	address := g.options.Listen
	if address == "" {
		address = g.options.Config.Listen
	}
	if l := g.inherited.Take("tcp"); l != nil {
		g.listener, g.handed = l, true
		if another := g.inherited.Take("tcp"); another != nil {
			_ = another.Close()
			return g.refuse(fmt.Errorf("%w: %s and %s are two, and rgate serves one", ErrSocket, l.Addr(), another.Addr()))
		}
		if fits(l.Addr(), address) {
			return nil
		}
		if !g.inherited.Successor() {
			return g.refuse(fmt.Errorf("%w: it listens on %s, and rgate is told to listen on %s", ErrSocket, l.Addr(), address))
		}
		g.log.Warn("an upgrade keeps the address; the new one takes effect after a restart", "address", l.Addr().String(), "new", address)
		return nil
	}
	if address == "" {
		address = defaultListen
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("cannot listen on %s: %w (is another program on that port? choose one with --port)", address, err)
		}
		return fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	g.listener = l
	return nil
}

func (g *Gateway) refuse(err error) error {
	_ = g.listener.Close()
	return err
}

// fits tells whether a socket that listens on l is one for address. Port 0, and
// a host that is no single address, mean any.
func fits(l net.Addr, address string) bool {
	if address == "" {
		return true
	}
	have, err1 := netip.ParseAddrPort(l.String())
	host, service, err2 := net.SplitHostPort(address)
	port, err3 := net.LookupPort("tcp", service)
	if err := errors.Join(err1, err2, err3); err != nil {
		return false
	}
	wanted, err := netip.ParseAddr(host)
	anywhere := err != nil || wanted.IsUnspecified()
	return (port == 0 || port == int(have.Port())) && (anywhere || wanted.Unmap() == have.Addr().Unmap())
}
