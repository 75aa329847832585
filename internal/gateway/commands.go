package gateway

import (
	"net"
	"net/http"
	"sync"
	"time"

	"rgate/internal/admin"
)

// commandsEnd is how long those under way may take when the gateway ends.
const commandsEnd = 2 * time.Second

// commands answers what comes on the admin socket. A nil one answers nothing.
type commands struct {
	server    *http.Server
	socket    net.Listener
	accepting chan struct{} // closed once it accepts no more
	conns     sync.WaitGroup
}

func (g *Gateway) serveCommands() *commands {
	if g.socket == nil {
		return nil
	}
	c := &commands{socket: g.socket, accepting: make(chan struct{})}
	c.server = &http.Server{
		Handler: admin.Handler(admin.Gateway{
			Table: g.gate.Table, Reload: g.Reload, Ready: g.Ready, Upgrade: g.Upgrade,
			Drain: g.Drain, Undo: g.Undrain,
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ConnState:         c.track,
	}
	g.owned.Go(func() { defer close(c.accepting); _ = c.server.Serve(c.socket) })
	return c
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
	if c == nil {
		return
	}
	_ = c.socket.Close()
	<-c.accepting
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
