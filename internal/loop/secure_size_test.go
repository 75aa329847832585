//go:build linux

package loop

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
	"unsafe"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

// A quiet connection holds little, whatever was said on it before.
func TestAQuietConnectionWithTLSIsSmall(t *testing.T) {
	if raced {
		t.Skip("the race detector's memory is not the program's")
	}
	if rawInput == 0 || hand == 0 {
		t.Error("crypto/tls keeps its buffers elsewhere: see slim.go")
	}
	if n := unsafe.Sizeof(secure{}); n > 144 {
		t.Errorf("its part is of %d bytes: more than 144 are of the next size class", n)
	}
	const conns, most = 300, 7 << 10
	g := start(t, nil, serve(t, hello))
	addr := g.secure("a.example")
	for name, said := range map[string]string{
		"nothing": "", "a request": secureGet,
		"an upload": "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000),
	} {
		before := heap()
		var all []net.Conn
		for range conns {
			c := dialTLS(t, addr, nil)
			if said != "" {
				ask(t, c, bufio.NewReader(c), said)
			}
			all = append(all, c.NetConn())
		}
		ends.Until(t, "all are quiet", func() bool {
			quiet := 0
			g.engine.within(func(l *loop) {
				for _, s := range l.socks {
					if c := s.client; c != nil && c.phase == phaseHead && c.work == nil {
						quiet++
					}
				}
			})
			return quiet == conns
		})
		each := (heap() - before) / conns
		t.Logf("after %s: %d bytes each", name, each)
		if each > most {
			t.Errorf("after %s one holds %d bytes", name, each)
		}
		for _, c := range all {
			_ = c.Close()
		}
		settle(t, g)
	}
}

// A request over TLS allocates what crypto/tls does for a record that it reads.
func TestAllocatesLittlePerRequestInTLS(t *testing.T) {
	g := start(t, func(c *config.Config, _ *Options) { c.Limits.RequestsPerConnection = 0 }, echo(t))
	requests := 3000
	if raced {
		requests = 300
	}
	k := newTalker(t, g.secure("a.example"))
	_ = k.SetDeadline(time.Now().Add(5 * time.Minute))
	var sealed [][]byte
	for range 3*requests + 101 {
		sealed = append(sealed, k.record(recordData, []byte(secureGet)))
	}
	k.put(sealed[0])
	if said, err := k.hear(func(said string) bool { return strings.HasSuffix(said, "\r\n\r\nok") }); err != nil {
		t.Fatalf("%q, %v", said, err)
	}
	var answer []byte
	next := 1
	once := func() {
		if _, err := k.Write(sealed[next]); err != nil {
			t.Fatal(err)
		}
		if next++; answer == nil {
			head := make([]byte, recordHead)
			if _, err := io.ReadFull(k, head); err != nil {
				t.Fatal(err)
			}
			size := int(head[3])<<8 | int(head[4])
			answer = make([]byte, recordHead+size)
			_, _ = io.ReadFull(k, answer[:size])
			return
		}
		if _, err := io.ReadFull(k, answer); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		once()
	}
	budget := uint64(requests + 20)
	if raced {
		budget *= 3
	}
	if least := allocations(requests, budget, once); least > budget {
		t.Errorf("%d allocations in %d requests", least, requests)
	}
}
