//go:build unix

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/admin"
	"rgate/internal/trial"
)

// Whoever reads the log may go away or stop reading: that costs lines, which
// are counted, and neither the process nor anybody's answer.
func TestTheReaderOfTheLog(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine+"/goes away", func(t *testing.T) {
			p, r, _ := spawnPiped(t, engine)
			if _, err := r.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
			p.malformed(20)
			p.serve()
			until(t, "lost records are counted", func() bool { return p.missing().Lost > 0 })
			rgate(t, "routes", "--socket", p.socket).want(t, 0, "records are missing from the log")
			p.upgradeUnheard()
			p.serve()
		})
		t.Run(engine+"/stops reading", func(t *testing.T) {
			p, _, w := spawnPiped(t, engine)
			fill(t, w)
			p.malformed(1000)
			p.serve()
			p.upgradeUnheard()
			p.malformed(20)
			p.serve()
		})
		t.Run(engine+"/stops reading, and rgate is to end", func(t *testing.T) {
			p, _, w := spawnPiped(t, engine)
			fill(t, w)
			p.malformed(20)
			if err := syscall.Kill(p.first.Process.Pid, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-p.ended:
				if err != nil {
					t.Errorf("it ended with %v", err)
				}
			case <-time.After(30 * time.Second):
				t.Error("it does not end")
			}
		})
	}
}

// What is wrong at the start is said even where the journal has hardly begun,
// and the exit code is as ever.
func TestLastWordsComeThrough(t *testing.T) {
	o := spawned{config: "routs: []\n"}
	p := prepare(t, &o)
	p.start(o)
	if err := <-p.ended; err == nil || p.first.ProcessState.ExitCode() != exitUsage {
		t.Errorf("it ended with %v", err)
	}
	if said := p.said(); !containsAll(said, "routs", "did you mean") {
		t.Errorf("it said %q", said)
	}
}

// A demo that nobody reads ends as it does by Ctrl-C: it removes what it made.
func TestADemoThatNobodyReads(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	demo := exec.CommandContext(ctx, own, "demo", "--port", strconv.Itoa(trial.Port(t)))
	demo.Env = append(os.Environ(), envMain+"=1", "DOCKER_HOST=unix:///nowhere/docker.sock")
	demo.Stdout = w
	err = demo.Run()
	_ = w.Close()
	if err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// fill leaves no room in a pipe for another piece of 4 KB. It has an open file of
// its own, that does not wait: who else writes may take the room that was seen.
func fill(t *testing.T, w *os.File) {
	t.Helper()
	fd, err := unix.Open(fmt.Sprint("/proc/self/fd/", w.Fd()), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for err == nil {
		_, err = unix.Write(fd, []byte(strings.Repeat("x", 4095)+"\n"))
	}
	if err != unix.EAGAIN {
		t.Fatal(err)
	}
}

// spawnPiped starts an rgate whose stderr is a pipe, which nobody reads.
func spawnPiped(t *testing.T, engine string) (_ *process, r, w *os.File) {
	t.Helper()
	var err error
	if r, w, err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	port := strconv.Itoa(trial.Port(t))
	o := spawned{config: static(engine, echo(t)), listen: "127.0.0.1:" + port, shell: `exec "$0" "$@" 2>&3 3>&-`, files: []*os.File{w}}
	p := prepare(t, &o)
	p.start(o)
	p.port = port
	until(t, "it serves", func() bool { return p.request(&http.Transport{DisableKeepAlives: true}, http.MethodGet) == nil })
	return p, r, w
}

// malformed sends requests that are refused and logged.
func (p *process) malformed(n int) {
	p.t.Helper()
	for range n {
		conn, err := net.Dial("tcp", "127.0.0.1:"+p.port)
		if err != nil {
			p.t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost : x\r\n\r\n")
		_, err = io.ReadAll(conn)
		_ = conn.Close()
		if err != nil {
			p.t.Fatalf("a malformed request got no answer: %v", err)
		}
	}
}

func (p *process) missing() admin.LogEntry {
	var d admin.Routes
	a := rgate(p.t, "routes", "--json", "--socket", p.socket)
	if err := json.Unmarshal([]byte(a.stdout), &d); err != nil {
		p.t.Fatalf("%v: %+v", err, a)
	}
	return d.Log
}

// upgradeUnheard has another process take over though nobody hears of it.
func (p *process) upgradeUnheard() {
	p.t.Helper()
	a := rgate(p.t, "upgrade", "--socket", p.socket)
	a.want(p.t, 0, "has taken over\n")
	var pid int
	if _, err := fmt.Sscanf(a.stdout, "process %d", &pid); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = syscall.Kill(pid, syscall.SIGTERM)
		until(p.t, "the new process ends", func() bool { return !alive(pid) })
	})
}

func containsAll(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
