//go:build linux

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// origin is the upstream: it echoes, and has big answers.
type origin struct {
	listener net.Listener
	server   *http.Server
}

// bigAnswer is the size of the biggest answer.
const bigAnswer = 8 << 20

func newOrigin() (*origin, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/echo/", func(w http.ResponseWriter, r *http.Request) {
		// As the client of package traffic wants it.
		fmt.Fprintf(w, "%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", r.Method, r.URL.Path, r.Host)
		_, _ = io.Copy(w, r.Body)
	})
	big := bytes.Repeat([]byte{'x'}, bigAnswer)
	mux.HandleFunc("/big/{megabytes}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("megabytes"))
		if err != nil || n < 0 || n > len(big)>>20 {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(n<<20))
		_, _ = w.Write(big[:n<<20])
	})
	o := &origin{listener: l, server: &http.Server{Handler: mux}}
	go func() { _ = o.server.Serve(l) }()
	return o, nil
}

func (o *origin) Addr() string { return o.listener.Addr().String() }

func (o *origin) Close() { _ = o.server.Close() }

// gateway is an rgate that runs.
type gateway struct {
	cmd     *exec.Cmd
	address string
	secure  string // the same over TLS
	trust   *tls.Config
	ended   chan struct{}
	last    []string // lines of its log; read once it has ended
}

// keptLines is how many of the log's last lines are kept: a panic's begin.
const keptLines = 400

const startTimeout = 15 * time.Second

// startRgate starts it before the origin and waits until it serves. It may have
// that many descriptors, where it is not 0.
func startRgate(binary, engine, dir, origin string, descriptors int) (*gateway, error) {
	g := &gateway{ended: make(chan struct{})}
	listener, err := g.secureListener(dir)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("engine: %s\nadmin: {socket: %s}\nroutes: [{path_prefix: /, backend: origin}]\nbackends: [{name: origin, endpoints: [%q]}]\n%s",
		engine, filepath.Join(dir, "admin.sock"), origin, listener)
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, fmt.Errorf("cannot write the configuration: %w", err)
	}
	argv := []string{binary, "serve", "--listen", "127.0.0.1:0", "--config", file, "--log-format", "json"}
	if descriptors > 0 {
		argv = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, descriptors)}, argv...)
	}
	g.cmd = exec.Command(argv[0], argv[1:]...)
	log, err := g.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot start rgate: %w", err)
	}
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start rgate: %w", err)
	}
	serves := make(chan string, 1)
	go func() {
		defer close(g.ended)
		g.read(log, serves)
		_ = g.cmd.Wait()
	}()
	select {
	case g.address = <-serves:
		return g, nil
	case <-g.ended:
		return nil, fmt.Errorf("rgate ended at its start: %s", strings.Join(g.last, "\n"))
	case <-time.After(startTimeout):
		g.stop()
		return nil, errors.New("rgate does not come to serve")
	}
}

// read reads the log to its end.
func (g *gateway) read(log io.Reader, serves chan<- string) {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var l struct{ Msg, Address string }
		if g.last = append(g.last, lines.Text()); len(g.last) > keptLines {
			g.last = g.last[1:]
		}
		if json.Unmarshal(lines.Bytes(), &l) == nil && l.Msg == "rgate serves" {
			serves <- l.Address
		}
	}
}

func (g *gateway) stop() {
	_ = g.cmd.Process.Signal(syscall.SIGKILL) // there is nothing left to be kind to
	<-g.ended
}

// memory reads a line of rgate's /proc/PID/status, in MB.
func (g *gateway) memory(line string) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		<-g.ended
		return 0, fmt.Errorf("rgate ended under the attack: %s", strings.Join(g.last, "\n"))
	}
	_, rest, _ := strings.Cut(string(text), "\n"+line+":")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, fmt.Errorf("there is no %s in /proc", line)
	}
	kb, err := strconv.Atoi(fields[0])
	return kb >> 10, err
}

// descriptors is how many rgate has open.
func (g *gateway) descriptors() int {
	list, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.cmd.Process.Pid))
	return len(list)
}
