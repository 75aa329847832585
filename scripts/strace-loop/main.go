//go:build linux

// Command strace-loop counts what the loop asks of the kernel for a request: it
// runs the real binary before an endpoint of its own, attaches strace, and
// sends requests one after the other over one warm connection, in the clear and then
// over TLS. It prints each system call per request, and fails unless there are four
// reads and writes and one look at an idle connection in each, and next to nothing
// else but waiting for events and Go's scheduler.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"rgate/internal/install"
	"rgate/internal/trial"
)

func main() {
	binary := flag.String("binary", "bin/rgate", "the rgate to trace")
	requests := flag.Int("n", 1000, "requests to trace")
	flag.Parse()
	if err := run(*binary, *requests); err != nil {
		fmt.Fprintln(os.Stderr, "strace-loop:", err)
		os.Exit(1)
	}
}

func run(binary string, requests int) error {
	if err := install.Debian("strace"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "strace-loop")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	origin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer origin.Close()
	go serve(origin)
	var addresses [2]string
	for i := range addresses {
		port, err := trial.FreePort()
		if err != nil {
			return err
		}
		addresses[i] = fmt.Sprint("127.0.0.1:", port)
	}
	cert, key, err := trial.Issue(dir, "cert", "x")
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "config.yml")
	text := fmt.Appendf(nil, configText, addresses[1], cert, key, origin.Addr(), filepath.Join(dir, "admin.sock"))
	if err := os.WriteFile(config, text, 0o600); err != nil {
		return err
	}
	gateway, err := startGateway(ctx, binary, config, addresses[0])
	if err != nil {
		return err
	}
	defer gateway.stop()
	for i, name := range []string{"in the clear", "over TLS"} {
		c, err := connect(addresses[i], i > 0, gateway.ended)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n\n", name)
		if err := count(ctx, c, gateway.cmd.Process.Pid, filepath.Join(dir, "log"), requests); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Println()
	}
	return nil
}

// count traces the gateway while c asks.
func count(ctx context.Context, c *client, pid int, log string, requests int) error {
	defer c.conn.Close()
	if err := c.ask(100); err != nil {
		return fmt.Errorf("cannot warm up: %w", err)
	}
	threads, err := trace(ctx, pid, log, func() error { return c.ask(requests) })
	if err != nil {
		return err
	}
	loop, rest := split(threads)
	loop.print(os.Stdout, "the loop", requests)
	fmt.Println()
	rest.print(os.Stdout, "other threads", requests)
	return judge(loop, rest, requests)
}

const configText = `engine: loop
listeners: [{address: "%s", tls: {certificates: [{cert: "%s", key: "%s"}]}}]
routes: [{path_prefix: /, backend: b}]
backends: [{name: b, endpoints: ["%s"]}]
admin: {socket: "%s"}
`

// serve answers every request on every connection.
func serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			in := bufio.NewReader(c)
			for readHead(in) == nil {
				if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
					return
				}
			}
		}()
	}
}

// readHead reads up to the empty line.
func readHead(in *bufio.Reader) error {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil || len(bytes.TrimSpace(line)) == 0 {
			return err
		}
	}
}

// gateway is the binary, running.
type gateway struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func startGateway(ctx context.Context, binary, config, address string) (*gateway, error) {
	g := &gateway{cmd: exec.CommandContext(ctx, binary, "--listen", address, "--config", config, "--log-level", "error"), ended: make(chan struct{})}
	g.cmd.Stdout, g.cmd.Stderr = os.Stderr, os.Stderr
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the gateway: %w", err)
	}
	go func() { _ = g.cmd.Wait(); close(g.ended) }()
	return g, nil
}

func (g *gateway) stop() {
	_ = g.cmd.Process.Signal(syscall.SIGTERM)
	<-g.ended // killed when the context ends
}

// client is one connection to the gateway.
type client struct {
	conn net.Conn
	in   *bufio.Reader
}

// connect waits until the gateway listens.
func connect(address string, secure bool, ended <-chan struct{}) (*client, error) {
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		c, err := net.Dial("tcp", address)
		if err == nil && secure {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true, ServerName: "x"}) // the certificate vouches for itself
		}
		if err == nil {
			return &client{conn: c, in: bufio.NewReader(c)}, c.SetDeadline(time.Now().Add(time.Minute))
		}
		select {
		case <-tick.C:
		case <-ended:
			return nil, errors.New("the gateway ended")
		}
	}
}

// ask sends n requests, each after the answer to the one before.
func (c *client) ask(n int) error {
	for range n {
		if _, err := io.WriteString(c.conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return err
		}
		status, err := c.in.ReadString('\n')
		if err != nil {
			return err
		}
		if !strings.HasPrefix(status, "HTTP/1.1 200 ") {
			return fmt.Errorf("the gateway answered %q", status)
		}
		if err := readHead(c.in); err != nil {
			return err
		}
		if _, err := c.in.Discard(len("ok")); err != nil {
			return err
		}
	}
	return nil
}
