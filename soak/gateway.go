//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"rgate/soak/internal/verdict"
)

// gateway is what a load is sent to.
type gateway struct {
	name    string
	address string
	trust   *tls.Config                     // nil for plain HTTP
	retries func() int                      // nil where it does not count them
	faults  func() map[string]verdict.Fault // nil where its log does not tell
}

// rgate is a gateway that runs from the real binary.
type rgate struct {
	s      *stage
	binary string
	dir    string
	config string // its text
	log    string // file
	socket *http.Client
	handed *os.File // the listening socket, by systemd's protocol; nil for one of its own
	first  *process
}

// process is a program that a stage runs, until the stage is struck at the
// latest.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func start(s *stage, cmd *exec.Cmd) *process {
	if err := cmd.Start(); err != nil {
		s.Fatalf("cannot start %s: %v", cmd.Path, err)
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	s.Cleanup(func() { p.end(10 * time.Second) })
	return p
}

// end ends it by SIGTERM, and by SIGKILL where that is not heeded in time.
func (p *process) end(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// socketName is the admin socket in a gateway's directory.
const socketName = "admin.sock"

// newRgate prepares an rgate; it does not run yet.
func newRgate(s *stage, binary, config string) *rgate {
	g := &rgate{s: s, binary: binary, dir: s.TempDir()}
	socket := filepath.Join(g.dir, socketName)
	g.config = config + "admin: {socket: " + socket + "}\n"
	g.log = filepath.Join(g.dir, "log")
	g.write(g.config)
	g.socket = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
	}}
	return g
}

// write puts text in place of the configuration, whole.
func (g *rgate) write(text string) {
	file := filepath.Join(g.dir, "config.yml")
	err := os.WriteFile(file+".new", []byte(text), 0o644)
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		g.s.Fatal(err)
	}
}

// command is rgate's command line, which logs to the end of the log.
func (g *rgate) command(listen string) *exec.Cmd {
	log, err := os.OpenFile(g.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		g.s.Fatal(err)
	}
	g.s.Cleanup(func() { _ = log.Close() })
	args := []string{g.binary, "serve", "--listen", listen, "--config", filepath.Join(g.dir, "config.yml"), "--debug", "--log-format", "json"}
	if g.handed != nil { // LISTEN_PID has to be the process's own
		args = append([]string{"sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	if g.handed != nil {
		cmd.ExtraFiles = []*os.File{g.handed}
	}
	cmd.Stderr = log
	return cmd
}

// serve starts it and answers where it listens.
func (g *rgate) serve(name string) *gateway {
	g.first = start(g.s, g.command("127.0.0.1:0"))
	front := &gateway{name: name, retries: g.retries, faults: g.faults}
	g.s.until("rgate serves", func() bool {
		select {
		case <-g.first.ended:
			g.s.Fatalf("rgate ended at its start:\n%s", g.tail())
		default:
		}
		for line := range g.lines() {
			if line.Msg == "rgate serves" {
				front.address = line.Address
			}
		}
		return front.address != ""
	})
	return front
}

// line is what is of interest in a line of rgate's log.
type line struct {
	Msg, Address, Reason, Endpoint string
	RequestID                      string `json:"request_id"`
	PID                            int
	NewPID                         int `json:"new_pid"`
}

// lines are those of the log so far.
func (g *rgate) lines() func(yield func(line) bool) {
	return func(yield func(line) bool) {
		file, err := os.Open(g.log)
		if err != nil {
			return
		}
		defer file.Close()
		for scanner := bufio.NewScanner(file); scanner.Scan(); {
			var l line
			if json.Unmarshal(scanner.Bytes(), &l) == nil && !yield(l) {
				return
			}
		}
	}
}

func (g *rgate) tail() string {
	text, _ := os.ReadFile(g.log)
	return string(text[max(0, len(text)-2000):])
}

// faults are the requests that rgate says it had to answer itself.
func (g *rgate) faults() map[string]verdict.Fault {
	faults := map[string]verdict.Fault{}
	for l := range g.lines() {
		if l.Msg == "rgate answered by itself" {
			faults[l.RequestID] = verdict.Fault{Reason: l.Reason, Endpoint: l.Endpoint}
		}
	}
	return faults
}

// ask asks the admin socket.
func (g *rgate) ask(method, target string, into any) error {
	request, err := http.NewRequestWithContext(g.s.ctx, method, "http://rgate"+target, nil)
	if err != nil {
		return err
	}
	response, err := g.socket.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, bytes.TrimSpace(body))
	}
	return json.Unmarshal(body, into)
}

func (g *rgate) retries() int {
	var routes []struct{ Retries int }
	if err := g.ask(http.MethodGet, "/stats?by=route", &routes); err != nil {
		return -1
	}
	sum := 0
	for _, r := range routes {
		sum += r.Retries
	}
	return sum
}

// ready is how many endpoints take requests.
func (g *rgate) ready() int {
	var routes struct {
		Backends []struct{ Endpoints []struct{ State string } }
	}
	if err := g.ask(http.MethodGet, "/routes", &routes); err != nil {
		return 0
	}
	n := 0
	for _, b := range routes.Backends {
		for _, e := range b.Endpoints {
			if e.State == "ready" {
				n++
			}
		}
	}
	return n
}
