//go:build linux

package loop

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
	"unsafe"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/rig/ends"
)

func TestAQuietConnectionIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(conn{}); n > 112 {
		t.Errorf("it is of %d bytes: more than 112 are of the next size class", n)
	}
}

// What waits to be accepted when a listener goes is served.
func TestADrainServesWhoWaitsToBeAccepted(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := listen.New(socket, config.Listener{})
	if err := g.engine.Open(l); err != nil {
		t.Fatal(err)
	}
	lp := g.engine.loops[0]
	hold, held := make(chan struct{}), make(chan struct{})
	lp.post(func() { close(held); <-hold })
	<-held
	var all []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", socket.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(ends.Patience))
		_, _ = io.WriteString(c, plainGet)
		all = append(all, c)
	}
	g.engine.Drain(l, time.Minute)
	close(hold)
	for _, c := range all {
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != http.StatusOK || !res.Close {
			t.Fatalf("%+v, %v", res, err)
		}
		_ = res.Body.Close()
		_ = c.Close()
	}
	<-l.Gone()
	if len(lp.doors) != 1 {
		t.Errorf("%d doors are left instead of one", len(lp.doors))
	}
}

// A listener that is opened while nothing can be accepted is served after that.
func TestADoorIsOpenedDuringARest(t *testing.T) {
	g := start(t, nil, serve(t, hello))
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lp := g.engine.loops[0]
	rested := make(chan struct{})
	lp.post(func() {
		lp.rest(nil)
		close(rested)
	})
	<-rested
	if err := g.engine.Open(listen.New(socket, config.Listener{})); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{g.addr, socket.Addr().String()} {
		one := *g
		one.addr = addr
		if c := one.dial(); c != nil {
			_, _ = io.WriteString(c, plainGet)
			if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != http.StatusOK {
				t.Errorf("%+v, %v", res, err)
			}
		}
	}
}
