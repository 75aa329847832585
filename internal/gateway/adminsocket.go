package gateway

import (
	"context"
	"net"
	"time"

	"rgate/internal/admin"
)

// socketRetry is how often a gateway tries to get the admin socket that another
// process holds, such as one that drains.
const socketRetry = time.Second

// openSocket takes the inherited admin socket, or opens one. One that cannot
// be opened is logged, not fatal: traffic matters more than commands.
func (g *Gateway) openSocket() {
	path := g.configuredSocket()
	if l, ok := g.inherited.Take("unix").Listener.(*net.UnixListener); ok {
		if path != "" && path != l.Addr().String() {
			g.log.Warn("the admin socket is the one that was passed, not the one of the configuration", "socket", l.Addr().String(), "configuration", path)
		}
		l.SetUnlinkOnClose(false)
		g.socket, g.lent = l, !g.inherited.Successor() || g.bequest.Lent
		g.socketFile = g.bequest.Socket
		return
	}
	l, err := admin.Listen(g.socketPath())
	if err != nil {
		g.log.Warn("commands such as `rgate stats` do not reach this gateway; it tries again", "every", socketRetry, "error", err)
		return
	}
	g.socket, g.socketFile, g.owning = l, admin.FileOf(l.Addr().String()), true
}

func (g *Gateway) configuredSocket() string {
	if g.options.Socket != "" {
		return g.options.Socket
	}
	return g.options.Config.Admin.Socket
}

func (g *Gateway) socketPath() string {
	path := g.configuredSocket()
	if tcp, ok := g.first.Addr().(*net.TCPAddr); path == "" && ok {
		path = admin.SocketPath(tcp.Port)
	}
	return path
}

func (g *Gateway) adminSocket() *net.UnixListener {
	g.socketMu.Lock()
	defer g.socketMu.Unlock()
	return g.socket
}

func (g *Gateway) adminFile() admin.File {
	g.socketMu.Lock()
	defer g.socketMu.Unlock()
	return g.socketFile
}

// seekSocket tries to open the admin socket until it can, and serves c on it.
func (g *Gateway) seekSocket(ctx context.Context, c *commands) {
	tick := time.NewTicker(g.socketRetry)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.life.Done():
			return
		case <-tick.C:
		}
		l, err := admin.Listen(g.socketPath())
		if err != nil {
			continue
		}
		file := admin.FileOf(l.Addr().String())
		g.socketMu.Lock()
		served := c.accept(g, l)
		if served {
			g.socket, g.socketFile, g.owning = l, file, true
		}
		g.socketMu.Unlock()
		if served {
			g.log.Info("commands reach this gateway now", "socket", l.Addr().String())
		} else {
			file.Remove(l.Addr().String()) // it ends just now
			_ = l.Close()
		}
		return
	}
}

// ownSocket says whether this process removes the file of the admin socket in
// the end.
func (g *Gateway) ownSocket(own bool) {
	g.socketMu.Lock()
	defer g.socketMu.Unlock()
	g.owning = own && !g.lent
}

// closeSocket takes no more commands. It removes the socket's file where that
// is still this process's. It may be called again.
func (g *Gateway) closeSocket() {
	g.socketMu.Lock()
	defer g.socketMu.Unlock()
	if g.socket == nil {
		return
	}
	if g.owning {
		g.owning = false
		g.socketFile.Remove(g.socket.Addr().String())
	}
	_ = g.socket.Close()
}
