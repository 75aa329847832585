package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// envMain has the test binary act as rgate, race detector and all.
const envMain = "RGATE_TEST_MAIN"

func actAsRgate() {
	os.Exit(Main(context.Background(), os.Args[1:], Process{Stdout: os.Stdout, Stderr: os.Stderr}))
}

// process is an rgate that is a process, and those that take over from it.
type process struct {
	t      *testing.T
	binary string // what an upgrade starts
	file   string
	socket string
	log    string // file
	port   string
	tls    *tls.Config // of who calls; nil for plain HTTP
	first  *exec.Cmd
	ended  chan error // of the first
}

// spawned is what a process is made of, besides its own file and socket.
type spawned struct {
	config string // after the line of the admin socket
	listen string // "" for a free port, "none" for no flag
	env    []string
	shell  string     // how it is started; `exec "$0" "$@"` does
	files  []*os.File // descriptors from 3 on
}

// spawn starts an rgate, which ends with the test, and so do its successors.
func spawn(t *testing.T, o spawned) *process {
	t.Helper()
	p := prepare(t, &o)
	p.start(o)
	until(t, "it serves", func() bool { return p.serves() })
	return p
}

func prepare(t *testing.T, o *spawned) *process {
	t.Helper()
	dir := short(t)
	p := &process{t: t, binary: filepath.Join(dir, "rgate"), file: filepath.Join(dir, "c.yml"), socket: filepath.Join(dir, "a.sock"), log: filepath.Join(dir, "log"), ended: make(chan error, 1)}
	p.install()
	p.write("admin: {socket: " + p.socket + "}\n" + o.config)
	return p
}

func (p *process) start(o spawned) {
	p.t.Helper()
	log, err := os.Create(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	if o.shell == "" {
		o.shell = `exec "$0" "$@"`
	}
	args := []string{"-c", o.shell, p.binary, "-c", p.file}
	switch o.listen {
	case "":
		args = append(args, "--listen", "127.0.0.1:0")
	case "none":
	default:
		args = append(args, "--listen", o.listen)
	}
	p.first = exec.Command("/bin/sh", args...)
	p.first.Env = append(append(os.Environ(), envMain+"=1"), o.env...)
	p.first.Stderr, p.first.ExtraFiles = log, o.files
	if err := p.first.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() { p.ended <- p.first.Wait(); close(p.ended) }()
	p.t.Cleanup(p.cleanUp)
}

// cleanUp ends the process that serves as it should end, and kills what is
// left.
func (p *process) cleanUp() {
	all := p.generations()
	last := all[len(all)-1]
	_ = syscall.Kill(last, syscall.SIGTERM)
	for deadline := time.Now().Add(patience); alive(last) && time.Now().Before(deadline); {
		time.Sleep(2 * time.Millisecond)
	}
	for _, pid := range all {
		if alive(pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	<-p.ended
	if text := p.said(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:") {
		p.t.Error("it said so:")
	}
	if p.t.Failed() {
		p.t.Logf("log:\n%s", p.said())
	}
}

// alive tells whether a process is there and has not ended.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

var took = regexp.MustCompile(`has taken over" pid=\d+ new_pid=(\d+)`)

// generations are the processes that served so far, the first one first.
func (p *process) generations() []int {
	pids := []int{p.first.Process.Pid}
	for _, found := range took.FindAllStringSubmatch(p.said(), -1) {
		pid, err := strconv.Atoi(found[1])
		if err != nil {
			p.t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

func (p *process) said() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *process) serves() bool {
	found := servesAt.FindStringSubmatch(p.said())
	if found == nil {
		if len(p.ended) > 0 {
			p.t.Fatalf("it ended at its start: %v\n%s", <-p.ended, p.said())
		}
		return false
	}
	p.port = found[1]
	return true
}

// write puts text in place of the configuration, whole.
func (p *process) write(text string) { p.replace(p.file, []byte(text)) }

// install puts rgate in place of what is at its path.
func (p *process) install() {
	p.t.Helper()
	own, err := os.Executable()
	if err == nil {
		err = os.Symlink(own, p.binary+".new")
	}
	if err == nil {
		err = os.Rename(p.binary+".new", p.binary)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) replace(path string, data []byte) {
	p.t.Helper()
	err := os.WriteFile(path+".new", data, 0o755)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// upgrade has the next one take over, and answers its process id.
func (p *process) upgrade() int {
	p.t.Helper()
	before := p.generations()
	a := rgate(p.t, "upgrade", "--socket", p.socket)
	a.want(p.t, 0, "has taken over\n")
	return p.next(before)
}

// signalled has the next one take over by SIGUSR2.
func (p *process) signalled() int {
	p.t.Helper()
	before := p.generations()
	if err := syscall.Kill(before[len(before)-1], syscall.SIGUSR2); err != nil {
		p.t.Fatal(err)
	}
	return p.next(before)
}

func (p *process) next(before []int) int {
	p.t.Helper()
	var now []int
	until(p.t, "another process serves", func() bool { now = p.generations(); return len(now) > len(before) })
	return now[len(now)-1]
}

// descriptors are what the open ones of a process stand for, sorted.
func descriptors(t *testing.T, pid int) (kinds []string) {
	t.Helper()
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if to, err := os.Readlink(name); err == nil {
			kinds = append(kinds, strings.TrimRight(to, "0123456789[]"))
		}
	}
	slices.Sort(kinds)
	return kinds
}

// echo is a backend that answers with the method, and
// sends back what comes on an upgraded connection.
func echo(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			fmt.Fprint(w, r.Method)
			return
		}
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = buffered.WriteTo(conn)
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.Listener.Addr().String()
}

// static is a configuration with one backend at address.
func static(engine, address string) string {
	return "engine: " + engine + "\ntimeouts: {connect: 20s}\nroutes: [{path_prefix: /, backend: only}]\nbackends: [{name: only, endpoints: ['" + address + "']}]\n"
}

// listening is a listening socket, to be passed to processes.
func listening(t *testing.T) (*os.File, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, l.Addr().String()
}
