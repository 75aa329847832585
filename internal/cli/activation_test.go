package cli

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// activated starts a process as systemd does for a socket unit.
const activated = `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`

// A socket that systemd passes is served, by a successor too, and lives on.
func TestASocketThatIsPassed(t *testing.T) {
	f, address := listening(t)
	p := spawn(t, spawned{config: static("auto", echo(t)), listen: "none", shell: activated, files: []*os.File{f}})
	if got := "127.0.0.1:" + p.port; got != address {
		t.Fatalf("it serves at %s instead of %s", got, address)
	}
	fetch := func() {
		t.Helper()
		if err := p.request(&http.Transport{DisableKeepAlives: true}, http.MethodGet); err != nil {
			t.Error(err)
		}
	}
	fetch()
	last := p.upgrade()
	fetch()
	if err := syscall.Kill(last, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "the last one ends", func() bool { return !alive(last) })
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatalf("the socket ended with the process: %v", err)
	}
	_ = conn.Close()
}

// A socket that does not fit is bad usage, and said so.
func TestASocketThatDoesNotFit(t *testing.T) {
	f, address := listening(t)
	other, _ := listening(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	two := `LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" "$@"`
	for name, c := range map[string]struct {
		o    spawned
		want string
	}{
		"another port": {spawned{listen: "127.0.0.1:1", shell: activated, files: []*os.File{f}}, "it listens on " + address + ", and rgate is told to listen on 127.0.0.1:1"},
		"two":          {spawned{listen: "none", shell: two, files: []*os.File{f, other}}, "no listener has the address "},
		"no socket":    {spawned{listen: "none", shell: activated, files: []*os.File{null}}, "it is no listening socket"},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.config = static("auto", "127.0.0.1:1")
			p := prepare(t, &c.o)
			p.start(c.o)
			var exit *exec.ExitError
			if err := <-p.ended; !errors.As(err, &exit) || exit.ExitCode() != exitUsage {
				t.Errorf("it ended with %v instead of exit code %d", err, exitUsage)
			}
			if !strings.Contains(p.said(), c.want) {
				t.Errorf("%q is not in what it said:\n%s", c.want, p.said())
			}
		})
	}
}

// manager is a service manager: it listens on NOTIFY_SOCKET.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	path string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	path := filepath.Join(short(t), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &manager{t, conn, path}
}

// hears waits for a message with this line, and answers all of it.
func (m *manager) hears(line string) string {
	m.t.Helper()
	_ = m.conn.SetReadDeadline(time.Now().Add(patience))
	var heard []string
	for buf := make([]byte, 4<<10); ; {
		n, err := m.conn.Read(buf)
		if err != nil {
			m.t.Fatalf("%q was never said (%v), but\n%s", line, err, strings.Join(heard, "\n"))
		}
		text := string(buf[:n])
		if heard = append(heard, text); strings.HasPrefix(text, line) {
			return text
		}
	}
}

// The service manager hears of everything, from whoever it concerns.
func TestTheServiceManagerIsTold(t *testing.T) {
	m := newManager(t)
	p := spawn(t, spawned{config: static("auto", echo(t)), env: []string{"NOTIFY_SOCKET=" + m.path, "WATCHDOG_USEC=300000"}})
	m.hears("READY=1")
	m.hears("WATCHDOG=1")
	rgate(t, "reload", "--socket", p.socket).want(t, 0)
	if text := m.hears("RELOADING=1"); !strings.Contains(text, "\nMONOTONIC_USEC=") {
		t.Errorf("no time is in %q", text)
	}
	m.hears("READY=1")
	next := p.upgrade()
	m.hears("MAINPID=" + strconv.Itoa(next))
	m.hears("WATCHDOG=1")
	if err := syscall.Kill(next, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.hears("STOPPING=1")
}
