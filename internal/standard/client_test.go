package standard

import (
	"io"
	"log/slog"
	"net"
	"testing"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/proxy"
	"rgate/internal/route"
)

// from is a connection of somebody at addr.
type from struct {
	net.Conn
	addr net.TCPAddr
}

func (f *from) RemoteAddr() net.Addr { return &f.addr }

// No network that a configuration can name holds an address with a zone.
func TestAClientHasNoZone(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})) // what is logged is made, as where somebody reads it
	e := New(Options{Gate: proxy.NewGate(route.Build(config.Default(), nil, nil), log), Log: log})
	c := newClient(e, &from{addr: net.TCPAddr{IP: net.ParseIP("fe80::7"), Port: 1, Zone: "eth0"}}, listen.New(nil, config.Listener{}))
	if got := c.addr.String(); got != "fe80::7" {
		t.Errorf("it is %s", got)
	}
}
