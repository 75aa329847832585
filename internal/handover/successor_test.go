package handover

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// say connects, says word, and answers what came before it.
func say(t *testing.T, addr net.Addr, word string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(c, word)
	_, _ = r.ReadByte() // until it has closed
	return line
}

func TestASuccessorTakesOver(t *testing.T) {
	t.Setenv("WATCHDOG_PID", "1")
	t.Setenv("LISTEN_FDNAMES", "stale")
	p, said := acting(t, "serve")
	l, spare := listen(t), listen(t)
	pid, err := p.Start(t.Context(), time.Minute, "remember this", Socket{Listener: l}, Socket{spare, "[::1]:80 %a+b"})
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		if flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
			t.Errorf("handing it over made our socket block: %x, %v", flags, err)
		}
	})
	_ = l.Close()
	got := say(t, addr, "next")
	if want := fmt.Sprintf("pid=%d note=\"remember this\" unused=1 names=[\"\" \"[::1]:80 %%a+b\"] ", pid); !strings.HasPrefix(got, want) || !strings.Contains(got, "env=[]") {
		t.Errorf("%s instead of %s… env=[]", got, want)
	}
	if got := kinds(t, say(t, addr, "end"), p.Stderr.Name()); len(got) != 2 || got[0] != "socket:" || got[1] != "socket:" {
		t.Errorf("besides a listener and a connection it holds %v", got)
	}
	if text := said(); !strings.Contains(text, "it starts\n") || !strings.Contains(text, "it serves\n") {
		t.Errorf("it said %q", text)
	}
}

// kinds are what the descriptors in an answer stand for, but for those that
// every process has, and those that whoever ran this test lets all inherit.
func kinds(t *testing.T, answer, stderr string) (kinds []string) {
	t.Helper()
	_, list, _ := strings.Cut(answer, "fds=")
	list, _, _ = strings.Cut(list, " ")
	for _, fd := range strings.Split(list, ",") {
		name, to, _ := strings.Cut(fd, "=")
		n, err := strconv.Atoi(name)
		if err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		flags, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0)
		switch {
		case n < 2, n == 2 && to == stderr:
		case err == nil && flags&unix.FD_CLOEXEC == 0:
		case strings.Contains(to, "/cgroup/"): // the runtime watches its limits
		default:
			kinds = append(kinds, to)
		}
	}
	return kinds
}

func TestASuccessorThatFails(t *testing.T) {
	for act, want := range map[string][]string{
		"end":             {"does not take over: it ended (exit status 3); it said:\na first line\nthere is no luck today"},
		"end well":        {"does not take over: it ended (exit status 0)"},
		"talk":            {"it ended (exit status 1); it said:\nline 4990\n", "\nline 4999"},
		"hang":            {"it was not ready within 500ms", "this takes its time"},
		"let go and hang": {"it was not ready within 500ms"},
	} {
		t.Run(act, func(t *testing.T) {
			p, said := acting(t, act)
			limit := time.Minute
			if strings.Contains(act, "hang") {
				limit = 500 * time.Millisecond
			}
			pid, err := p.Start(t.Context(), limit, "", Socket{Listener: listen(t)})
			if err == nil {
				t.Fatalf("it is process %d", pid)
			}
			for _, text := range want {
				if act == "hang" && text == "this takes its time" && !strings.Contains(said(), text) {
					continue // on a busy machine it was not even there yet
				}
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q lacks %q", err, text)
				}
			}
			var failed int
			if _, scanErr := fmt.Sscanf(err.Error(), "the new process (%d,", &failed); scanErr != nil {
				t.Fatalf("%v: %v", err, scanErr)
			}
			if err := syscall.Kill(failed, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("it is not gone: %v", err)
			}
		})
	}
}

// One that has ended is not waited for because of what it left behind.
func TestASuccessorThatLeavesAChild(t *testing.T) {
	p, _ := acting(t, "leave a child")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := p.Start(ctx, time.Hour, "", Socket{Listener: listen(t)})
	const want = "it ended (exit status 3); it said:\n"
	if ctx.Err() != nil {
		t.Error("it was waited for to the end")
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("%v lacks %q", err, want)
	}
	_, text, _ := strings.Cut(err.Error(), want)
	child, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Errorf("its child is gone: %v", err)
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	p, _ := acting(t, "serve")
	garbage := filepath.Join(t.TempDir(), "rgate")
	if err := os.WriteFile(garbage, []byte("\x00garbage"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{garbage: "exec format error", garbage + ".none": "no such file"} {
		p.Path = path
		if _, err := p.Start(t.Context(), time.Minute, "", Socket{Listener: listen(t)}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	closed := listen(t)
	_ = closed.Close()
	for _, l := range []net.Listener{closed, notASocket{}} {
		if _, err := p.Start(t.Context(), time.Minute, "", Socket{Listener: l}); err == nil || !strings.Contains(err.Error(), "cannot hand over") {
			t.Errorf("%T: %v", l, err)
		}
	}
}

type notASocket struct{ net.Listener }

func (notASocket) Addr() net.Addr { return &net.UnixAddr{Name: "nothing"} }

func TestAStartIsGivenUp(t *testing.T) {
	p, _ := acting(t, "hang")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("there is no need any more"))
	if _, err := p.Start(ctx, time.Minute, "", Socket{Listener: listen(t)}); err == nil || !strings.Contains(err.Error(), "there is no need any more") {
		t.Errorf("%v", err)
	}
}

func TestTheNameOfTheProgram(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("PATH", dir)
	running, link, other := filepath.Join(dir, "rgate-1"), filepath.Join(dir, "rgate"), filepath.Join(dir, "other")
	for _, name := range []string{running, other} {
		if err := os.WriteFile(name, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(running, link); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{link, running, link}, // so that the link may lead elsewhere by then
		{"./rgate", running, link},
		{"rgate", running, link},
		{"rgate", running + " (deleted)", link},
		{"rgate", filepath.Join(dir, "replaced") + " (deleted)", link},
		{other, running, running},
		{"login name", running, running},
		{"login name", running + " (deleted)", running},
	} {
		if got := named(c[0], c[1]); got != c[2] {
			t.Errorf("%q of %q: %q instead of %q", c[0], c[1], got, c[2])
		}
	}
	if p := Self(); !filepath.IsAbs(p.Path) || p.Stderr != os.Stderr {
		t.Errorf("%+v", p)
	}
}
