//go:build linux

package conformance

import (
	"bufio"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/config"
	"rgate/internal/rig"
)

// Connections to endpoints that nobody uses make way for clients where there are
// no descriptors left: those would wait until some of these are old.
func TestIdleConnectionsMakeWayForClients(t *testing.T) {
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			arrived, release := make(chan struct{}), make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/hold" {
					arrived <- struct{}{}
					<-release
				}
			}))
			t.Cleanup(s.Close)
			g := rig.Start(t, engine, func(c *config.Config) { c.Timeouts.Idle = time.Minute }, s.Listener.Addr().String())
			var held []*client // one idle connection goes for the client, one carries its request
			for range 2 {
				c := dialClient(t, g.Addr)
				c.ask("/hold")
				<-arrived
				held = append(held, c)
			}
			close(release)
			for _, c := range held {
				c.want(http.StatusOK)
			}
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			late := os.NewFile(uintptr(fd), "client")
			defer late.Close()
			patience := unix.Timeval{Sec: 20}
			to := netip.MustParseAddrPort(g.Addr)
			restore := takeAll(t)
			defer restore()
			err = errors.Join(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience),
				unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := late.WriteString("GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(late), nil)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Errorf("%v %v", response, err)
			}
		})
	}
}

// takeAll leaves the process no descriptor, until restore is called.
func takeAll(t *testing.T) (restore func()) {
	t.Helper()
	names, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	highest := 0
	for _, name := range names {
		if n, err := strconv.Atoi(filepath.Base(name)); err == nil {
			highest = max(highest, n)
		}
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(highest + 1), Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	var taken []int
	for {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	return func() {
		for _, fd := range taken {
			_ = unix.Close(fd)
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
}
