package standard

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"testing"
	"time"

	"rgate/internal/config"
)

// stall begins a handshake at addr and goes no further.
func stall(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write([]byte{22, 3, 1, 1, 0}); err != nil { // a record's header
		t.Fatal(err)
	}
	return c
}

// Beyond limits.handshakes a client waits for its turn, and one that is given up
// leaves its place.
func TestHandshakesWaitTheirTurn(t *testing.T) {
	r := start(t, func(c *config.Config) { c.Limits.Handshakes = 2 }, backend(t, func(http.ResponseWriter, *http.Request) {}))
	addr := r.secure([]string{"a.example"})
	known := dialTLS(t, addr, "a.example")
	in := bufio.NewReader(known)
	stalled := []net.Conn{stall(t, addr), stall(t, addr)}
	size := func(under, waiting int) func() bool {
		return func() bool { u, w := r.gate.Handshakes().Size(); return u == under && w == waiting }
	}
	r.eventually("two places are taken", size(2, 0))
	shaken := make(chan error, 1)
	go func() {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
		if err == nil {
			err = c.Close()
		}
		shaken <- err
	}()
	r.eventually("one waits", size(2, 1))
	if resp, _ := ask(t, known, in, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); resp.StatusCode != 200 {
		t.Errorf("the established meanwhile: %s", resp.Status)
	}
	_ = stalled[0].Close()
	if err := <-shaken; err != nil {
		t.Errorf("who waited: %v", err)
	}
	_ = stalled[1].Close()
	r.eventually("no place is left taken", size(0, 0))
}

// Who waits in vain is closed, and so is, at the end, who still waits.
func TestHandshakesWaitInVain(t *testing.T) {
	r := start(t, func(c *config.Config) { c.Limits.Handshakes = 1 }, backend(t, func(http.ResponseWriter, *http.Request) {}))
	addr := r.secure([]string{"a.example"})
	stall(t, addr)
	r.eventually("the place is taken", func() bool { under, _ := r.gate.Handshakes().Size(); return under == 1 })
	began := time.Now()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
	if err == nil {
		_ = c.Close()
		t.Fatal("there was a place")
	}
	if waited := time.Since(began); waited < placePatience || waited > placePatience+5*time.Second {
		t.Errorf("it was closed after %v", waited)
	}
	stall(t, addr) // waits as the engine stops
	r.eventually("it waits", func() bool { _, waiting := r.gate.Handshakes().Size(); return waiting == 1 })
}

// Handshakes compute beside few others, which costs the established nothing.
func TestHandshakesComputeBesideFewOthers(t *testing.T) {
	r := start(t, nil, backend(t, func(http.ResponseWriter, *http.Request) {}))
	addr := r.secure([]string{"a.example"})
	known := dialTLS(t, addr, "a.example")
	in := bufio.NewReader(known)
	ask(t, known, in, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n") // its handshake is over
	for range cap(r.desks) {
		r.desks <- struct{}{}
	}
	shaken := make(chan error, 1)
	go func() {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
		if err == nil {
			err = c.Close()
		}
		shaken <- err
	}()
	r.eventually("its handshake has begun", func() bool { under, _ := r.gate.Handshakes().Size(); return under == 1 })
	if resp, _ := ask(t, known, in, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); resp.StatusCode != 200 {
		t.Errorf("the established meanwhile: %s", resp.Status)
	}
	select {
	case err := <-shaken:
		t.Errorf("a handshake beside those that may compute: %v", err)
	default:
	}
	for range cap(r.desks) {
		<-r.desks
	}
	if err := <-shaken; err != nil {
		t.Error(err)
	}
	r.eventually("all are done", func() bool { under, _ := r.gate.Handshakes().Size(); return under == 0 && len(r.desks) == 0 })
}
