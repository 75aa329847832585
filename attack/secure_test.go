//go:build linux

package main

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rgate/internal/trial"
)

// What asks for a renegotiation is understood as that, and refused: a record that
// cannot be opened would be another attack.
func TestRenegotiationIsUnderstood(t *testing.T) {
	cert, key := trial.Certificate(t, t.TempDir(), "site", secureHost)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ended := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			_, err = io.ReadAll(c)
			c.Close()
		}
		ended <- err
	}()
	c := crowd{kind: "renegotiation", first: 2, sources: 1}
	s, err := c.meet(t.Context(), &net.TCPAddr{IP: net.ParseIP(source(2))}, netip.MustParseAddrPort(l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	s.renegotiate()
	_ = s.tap.Conn.Close()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "clientHello") {
		t.Errorf("the server: %v", err)
	}
}

func TestClientHelloIsOne(t *testing.T) {
	hello := clientHello()
	const handshake, kind = 22, 1
	if len(hello) < 1000 || hello[0] != handshake || hello[recordHead] != kind || len(hello) != recordHead+int(hello[3])<<8+int(hello[4]) {
		t.Errorf("%d bytes: %x", len(hello), hello[:min(len(hello), 10)])
	}
}
