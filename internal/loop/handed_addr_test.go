//go:build linux

package loop

import (
	"io"
	"net"
	"net/netip"
	"testing"
)

// Whoever is connected is known of a connection that is handed over, also once
// its peer has gone.
func TestAHandedConnectionKnowsItsPeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = peer.(*net.TCPConn).SetLinger(0)
	_ = peer.Close()
	_, _ = io.ReadAll(c) // until the reset is here
	h := &handed{Conn: c, addr: netip.MustParseAddr("127.0.0.1")}
	if got := h.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(); got != h.addr {
		t.Errorf("the peer is %v", got)
	}
}
