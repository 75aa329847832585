//go:build linux

package loop

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

// clientHello is what a client says first.
func clientHello(t *testing.T) []byte {
	t.Helper()
	said := &tape{}
	if err := tls.Client(said, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"}).Handshake(); !errors.Is(err, errNothing) {
		t.Fatal(err)
	}
	return said.out.Bytes()
}

// However many handshakes there are to be done at once, others have their turns in
// between.
func TestHandshakesTakeTurns(t *testing.T) {
	const clients = 200
	g := start(t, nil, serve(t, hello))
	addr := g.secure("a.example")
	said := clientHello(t)
	var all []net.Conn
	for range clients {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(ends.Patience))
		all = append(all, c)
	}
	ends.Until(t, "all are accepted", func() bool { return g.engine.crowd.Size() == clients })
	var l *loop
	first := 0
	g.engine.within(func(one *loop) { // which waits meanwhile
		l, first = one, one.turn.round
		for _, c := range all {
			_, _ = c.Write(said)
		}
	})
	for _, c := range all {
		if _, err := io.ReadFull(c, make([]byte, recordHead)); err != nil {
			t.Fatal(err)
		}
	}
	g.engine.within(func(*loop) {
		if turns := l.turn.round - first; turns < 5 {
			t.Errorf("%d handshakes are done in %d turns", clients, turns)
		}
	})
}

// A handshake may be cut anywhere, and its client go anywhere.
func TestHandshakesEndAnywhere(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	addr := g.secure("a.example")
	said := clientHello(t)
	for n := range len(said) + 1 {
		if testing.Short() && n%7 != 0 && n < len(said)-8 {
			continue
		}
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(ends.Patience))
		_, _ = c.Write(said[:n])
		if n%2 == 0 {
			_ = c.(*net.TCPConn).SetLinger(0)
		} else if n < len(said) {
			_ = c.(*net.TCPConn).CloseWrite()
			if b, err := io.ReadAll(c); len(b) > 0 || err != nil {
				t.Errorf("after %d bytes: %q, %v", n, b, err)
			}
		}
		_ = c.Close()
	}
	settle(t, g)
	inspect(t, g.engine)
}

// Above limits.handshakes they wait for each other, whichever engine has the others,
// and who leaves meanwhile leaves its place.
func TestHandshakesWaitForAPlace(t *testing.T) {
	const clients = 12
	g := start(t, func(c *config.Config, o *Options) { c.Limits.Handshakes, o.Loops = 3, 2 }, serve(t, hello))
	addr := g.secure("a.example")
	said := clientHello(t)
	var begun []net.Conn
	for range clients {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write(said[:len(said)-1]) // and no more
		begun = append(begun, c)
	}
	hands := g.engine.gate.Handshakes()
	sizes := func(under, waiting int) {
		t.Helper()
		ends.Until(t, fmt.Sprint(under, " are under way, and ", waiting, " wait"), func() bool {
			u, w := hands.Size()
			return u == under && w == waiting
		})
	}
	sizes(3, clients-3)
	late := make(chan error, 1)
	go func() {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
		if err == nil {
			err = c.Close()
		}
		late <- err
	}()
	sizes(3, clients-2)
	for i, c := range begun {
		if i%2 == 0 {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
		_ = c.Close()
	}
	if err := <-late; err != nil {
		t.Error(err)
	}
	sizes(0, 0)
}
