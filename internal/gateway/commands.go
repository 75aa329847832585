package gateway

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"rgate/internal/admin"
)

// commandsEnd is how long those under way may take when the gateway ends.
const commandsEnd = 2 * time.Second

// commands answers what comes on the admin socket.
type commands struct {
	server *http.Server
	conns  sync.WaitGroup
	close  func() // accepts no more

	mu        sync.Mutex
	accepting chan struct{} // closed once it accepts no more; nil before there is a socket
	over      bool
}

func (g *Gateway) serveCommands() *commands {
	c := &commands{close: g.closeSocket}
	c.server = &http.Server{
		Handler: admin.Handler(admin.Gateway{
			Table: g.gate.Table, Statistics: g.statistics, Unlogged: g.options.Unlogged, Reload: g.Reload, Rejected: g.RejectedReloads, Ready: g.Ready, Upgrade: g.Upgrade,
			Drain: g.Drain, Undo: g.Undrain, Root: func() (any, bool) { return g.Root() },
			Certificates: g.Certificates, Renew: g.Renew,
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ConnState:         c.track,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug), // not the process's, which may wait
	}
	if l := g.adminSocket(); l != nil {
		c.accept(g, l)
	}
	return c
}

// accept serves l, once; false where it has ended already.
func (c *commands) accept(g *Gateway, l net.Listener) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	accepting := make(chan struct{})
	c.accepting = accepting
	g.owned.Go(func() { defer close(accepting); _ = c.server.Serve(l) })
	return true
}

func (c *commands) track(_ net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		c.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		c.conns.Done()
	}
}

// end accepts no more and waits a while for what was accepted. The server's own
// Shutdown would drop a command on a connection that has just been opened. It
// may be called again.
func (c *commands) end() {
	c.mu.Lock()
	c.over = true
	accepting := c.accepting
	c.mu.Unlock()
	if accepting == nil {
		return
	}
	c.close()
	<-accepting
	c.server.SetKeepAlivesEnabled(false)
	over := make(chan struct{})
	go func() { defer close(over); c.conns.Wait() }()
	limit := time.NewTimer(commandsEnd)
	defer limit.Stop()
	select {
	case <-over:
	case <-limit.C:
	}
	_ = c.server.Close()
	<-over
}
