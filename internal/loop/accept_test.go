//go:build linux

package loop

import (
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rgate/internal/config"
)

// Without descriptors a client waits, which is said once, and is served as soon
// as there are some.
func TestClientsWaitForDescriptors(t *testing.T) {
	said, says := io.Pipe()
	g := start(t, func(_ *config.Config, o *Options) { o.Log = slog.New(slog.NewTextHandler(says, nil)) }, serve(t, hello))
	if s := g.exchange(closingGet); !strings.HasPrefix(s, "HTTP/1.1 200 ") { // now all that needs descriptors has them
		t.Fatal(s)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	client := os.NewFile(uintptr(fd), "client")
	defer client.Close()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	restore := func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
	defer restore()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddrPort(g.addr)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 512)
	n, err := said.Read(line)
	if err != nil || !strings.Contains(string(line[:n]), "raise the limit of open files") {
		t.Errorf("it says %q, %v", line[:n], err)
	}
	restore()
	if _, err := io.WriteString(client, closingGet); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(client); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 200 ") {
		t.Errorf("got %q, %v", b, err)
	}
}
