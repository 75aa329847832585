package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"rgate/internal/admin"
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
		return fmt.Errorf("cannot listen on %s: %w (is another program on that port? choose one with --port)", address, err)
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

// openSocket takes the inherited admin socket, or opens one. One that cannot
// be opened is logged, not fatal: traffic matters more than commands.
func (g *Gateway) openSocket() {
	path := g.options.Socket
	if path == "" {
		path = g.options.Config.Admin.Socket
	}
	if l, ok := g.inherited.Take("unix").(*net.UnixListener); ok {
		if path != "" && path != l.Addr().String() {
			g.log.Warn("the admin socket is the one that was passed, not the one of the configuration", "socket", l.Addr().String(), "configuration", path)
		}
		g.socket, g.lent = l, !g.inherited.Successor() || g.bequest.Lent
		return
	}
	if tcp, ok := g.listener.Addr().(*net.TCPAddr); path == "" && ok {
		path = admin.SocketPath(tcp.Port)
	}
	l, err := admin.Listen(path)
	if err != nil {
		g.log.Warn("commands such as `rgate stats` will not reach this gateway", "error", err)
		return
	}
	g.socket = l
}

// ownSocket says whether this process removes the file of the admin socket in
// the end.
func (g *Gateway) ownSocket(own bool) {
	if g.socket != nil {
		g.socket.SetUnlinkOnClose(own && !g.lent)
	}
}
