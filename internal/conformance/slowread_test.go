//go:build linux

package conformance

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/rig"
)

// A client that reads late gets the end of its answer too, which waits in
// rgate after the endpoint is done. Where that is depends on what the kernel
// holds: the sizes go up in steps that are smaller than rgate's buffers.
func TestLateReadersGetTheEndOfTheirAnswers(t *testing.T) {
	const most, step = 640 << 10, 8 << 10
	big := bytes.Repeat([]byte("0123456789abcdef"), most/16)
	for _, engine := range rig.Ways {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			var written sync.WaitGroup
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n, _ := strconv.Atoi(r.URL.Path[1:])
				w.Header().Set("Content-Length", strconv.Itoa(n))
				_, _ = w.Write(big[:n])
				if n > 0 {
					written.Done()
				}
			}))
			t.Cleanup(s.Close)
			g := rig.Start(t, engine, nil, s.Listener.Addr().String())
			var clients []net.Conn
			for n := step; n <= most; n += step {
				written.Add(1)
				c := dialNarrow(t, g.Addr)
				_, _ = io.WriteString(c, "GET /"+strconv.Itoa(n)+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
				clients = append(clients, c)
			}
			written.Wait()
			for range 2 { // rgate has had its turn at what was written
				c := dialClient(t, g.Addr)
				c.ask("/0")
				c.want(http.StatusOK)
			}
			var all sync.WaitGroup
			for i, c := range clients {
				all.Go(func() {
					text, err := io.ReadAll(c)
					_, body, _ := bytes.Cut(text, []byte("\r\n\r\n"))
					if want := (i + 1) * step; err != nil || !bytes.Equal(body, big[:want]) {
						t.Errorf("%d bytes, want %d: %v", len(body), want, err)
					}
				})
			}
			all.Wait()
		})
	}
}

// dialNarrow is a client in whose socket, and in rgate's, little fits: the
// kernel's buffers grow with the segments.
func dialNarrow(t *testing.T, addr string) net.Conn {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1000)
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 32<<10)
		})
	}}
	c, err := rig.Dial(&d, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}
