package enginetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/client"
)

// PrivateOptions says what private engine to start.
type PrivateOptions struct {
	LiveRestore bool   // containers live on while the daemon is away
	Storage     string // storage driver; "" for vfs, which works everywhere
}

// daemon is a dockerd of a test's own.
type daemon struct {
	t      T
	dir    string // data root, pid file and log
	run    string // exec root and socket: short, because socket paths are bounded
	bridge string
	args   []string
	cmd    *exec.Cmd
	ended  chan struct{} // closed when cmd has ended
}

// Private starts an engine that shares nothing with the machine's: own socket,
// data root, exec root, pid file, containerd and bridge, and no iptables
// rules, because two daemons would fight for the same chains. It ends with
// the test, with all its containers.
func Private(t T, o PrivateOptions) *Engine {
	t.Helper()
	needsEngine(t)
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Fatal("a private engine needs Linux and root: start Docker and run the tests again, or run make test-unit")
	}
	dockerd, err := exec.LookPath("dockerd")
	if err != nil {
		t.Fatal("dockerd is not installed: install docker.io, or run make test-unit")
	}
	id := Unique()[:6]
	d := &daemon{t: t, dir: t.TempDir(), run: "/run/rgt-" + id, bridge: "rgt-" + id}
	if o.Storage == "" {
		o.Storage = "vfs"
	}
	d.args = []string{
		dockerd, "--host", "unix://" + d.run + "/docker.sock",
		"--data-root", d.dir + "/data", "--exec-root", d.run + "/exec", "--pidfile", d.dir + "/docker.pid",
		"--config-file", d.emptyConfig(), "--bridge", d.bridge, "--iptables=false", "--ip-masq=false",
		"--containerd-namespace", "rgt-" + id, "--containerd-plugins-namespace", "rgt-plugins-" + id,
		"--storage-driver", o.Storage, "--live-restore=" + strconv.FormatBool(o.LiveRestore), "--shutdown-timeout", "2",
	}
	t.Cleanup(d.clean)
	d.makeBridge()
	d.start()
	return d.engine()
}

func (d *daemon) emptyConfig() string {
	file := filepath.Join(d.dir, "daemon.json")
	if err := os.WriteFile(file, []byte("{}"), 0o644); err != nil {
		d.t.Fatal(err)
	}
	return file
}

// makeBridge takes a subnet at random and another where it is taken.
func (d *daemon) makeBridge() {
	d.t.Helper()
	d.ip("link", "add", "name", d.bridge, "type", "bridge")
	d.ip("addr", "add", fmt.Sprintf("10.%d.%d.1/24", 200+rand.IntN(50), rand.IntN(256)), "dev", d.bridge)
	d.ip("link", "set", d.bridge, "up")
}

func (d *daemon) ip(args ...string) {
	d.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		d.t.Fatalf("cannot run ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (d *daemon) engine() *Engine {
	host := "unix://" + d.run + "/docker.sock"
	e := &Engine{Host: host, Client: dial(d.t, host), daemon: d}
	d.awaitReady(e.Client)
	return e
}

func (d *daemon) start() {
	d.t.Helper()
	if err := os.MkdirAll(d.run, 0o755); err != nil {
		d.t.Fatal(err)
	}
	log, err := os.OpenFile(d.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(d.args[0], d.args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's Ctrl-C is not for it
	if err := cmd.Start(); err != nil {
		d.t.Fatalf("cannot start dockerd: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	d.cmd, d.ended = cmd, ended
}

func (d *daemon) logFile() string { return filepath.Join(d.dir, "dockerd.log") }

func (d *daemon) awaitReady(c *client.Client) {
	d.t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for time.Now().Before(deadline) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err := c.Ping(ctx, client.PingOptions{})
		cancel()
		if err == nil {
			return
		}
		select {
		case <-d.ended:
			d.t.Fatalf("dockerd ended at its start:\n%s", d.log())
		case <-time.After(50 * time.Millisecond):
		}
	}
	d.t.Fatalf("dockerd does not answer:\n%s", d.log())
}

// log is the end of what the daemon wrote.
func (d *daemon) log() string {
	log, _ := os.ReadFile(d.logFile())
	return string(log[max(0, len(log)-4000):])
}

// own is the daemon of a private engine; the machine's is not a test's to stop.
func (e *Engine) own(t T) *daemon {
	t.Helper()
	if e.daemon == nil {
		t.Fatal("BUG: a test may stop, hang or restart private engines only")
	}
	return e.daemon
}

// Stop ends a private daemon as systemctl stop does.
func (e *Engine) Stop(t T) {
	t.Helper()
	e.own(t).end(syscall.SIGTERM)
}

// Kill ends a private daemon without letting it clean up.
func (e *Engine) Kill(t T) {
	t.Helper()
	d := e.own(t)
	d.end(syscall.SIGKILL)
	d.endContainerd()
}

// Start starts a private daemon that was stopped, and returns when it answers.
func (e *Engine) Start(t T) {
	t.Helper()
	d := e.own(t)
	d.start()
	d.awaitReady(e.Client)
}

// Restart is Stop and Start.
func (e *Engine) Restart(t T) {
	t.Helper()
	e.Stop(t)
	e.Start(t)
}

// Signal sends a private daemon a signal; SIGSTOP hangs it until SIGCONT.
func (e *Engine) Signal(t T, signal syscall.Signal) {
	t.Helper()
	if err := e.own(t).cmd.Process.Signal(signal); err != nil {
		t.Fatalf("cannot signal dockerd: %v", err)
	}
}

func (d *daemon) end(signal syscall.Signal) {
	d.t.Helper()
	_ = d.cmd.Process.Signal(signal)
	select {
	case <-d.ended:
	case <-time.After(40 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.ended
		d.t.Errorf("dockerd did not end by %v:\n%s", signal, d.log())
	}
}

// clean ends the daemon, what it left running, and its traces. Containers were
// removed by their own cleanups, which ran before.
func (d *daemon) clean() {
	if d.cmd != nil {
		_ = d.cmd.Process.Signal(syscall.SIGCONT)
		d.end(syscall.SIGTERM)
	}
	d.endContainerd()
	d.unmount()
	_ = exec.Command("ip", "link", "del", d.bridge).Run()
	_ = os.RemoveAll(d.run)
}

// endContainerd ends what a killed daemon leaves. It dies with dockerd, but
// where nothing reaps it the next dockerd takes it for alive and waits for it,
// so its pid file must go as well.
func (d *daemon) endContainerd() {
	file := d.run + "/exec/containerd/containerd.pid"
	pid, err := os.ReadFile(file)
	if err != nil {
		return
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(pid))); err == nil && n > 1 {
		_ = syscall.Kill(n, syscall.SIGKILL)
	}
	_ = os.Remove(file)
}
