// Command h2spec runs all cases of github.com/summerwind/h2spec against the real
// binary, over TLS and in the clear, with each engine. It fails unless all pass.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rgate/internal/trial"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "h2spec:", err)
		os.Exit(1)
	}
}

// cases is how many there are: a run of fewer proves less.
const cases = 146

const (
	module = "tools/h2spec/go.mod"
	judge  = ".cache/h2spec"
)

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-modfile="+module, "-o", judge, "github.com/summerwind/h2spec/cmd/h2spec")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build h2spec: %s", strings.TrimSpace(string(out)))
	}
	dir, err := os.MkdirTemp("", "h2spec")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "rgate")
	if err := trial.Build(ctx, binary); err != nil {
		return err
	}
	endpoint, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(answer)}
	go func() { _ = server.Serve(endpoint) }()
	defer server.Close()
	var failed error
	for _, engine := range []string{"auto", "standard"} {
		failed = errors.Join(failed, try(ctx, dir, binary, engine, endpoint.Addr().String()))
	}
	return failed
}

func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, "an answer that is long enough to be cut into several frames\n")
}

const configText = `engine: %s
listeners:
  - {name: clear, address: "127.0.0.1:%d", protocols: [h2c]}
  - {name: secure, address: "127.0.0.1:%d", tls: {certificates: [{cert: %q, key: %q}]}}
routes: [{path_prefix: /, backend: b}]
backends: [{name: b, endpoints: ["%s"]}]
admin: {socket: "%s"}
`

// try has one engine judged.
func try(ctx context.Context, dir, binary, engine, endpoint string) error {
	var ports [3]int
	for i := range ports {
		port, err := trial.FreePort()
		if err != nil {
			return err
		}
		ports[i] = port
	}
	cert, key, err := trial.Issue(dir, engine, "127.0.0.1", "localhost")
	if err != nil {
		return err
	}
	config := filepath.Join(dir, engine+".yml")
	text := fmt.Sprintf(configText, engine, ports[1], ports[2], cert, key, endpoint, filepath.Join(dir, engine+".sock"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	gateway := exec.CommandContext(ctx, binary, "--listen", fmt.Sprint("127.0.0.1:", ports[0]), "--config", config, "--log-level", "error")
	gateway.Stdout, gateway.Stderr = os.Stderr, os.Stderr
	if err := gateway.Start(); err != nil {
		cancel()
		return err
	}
	defer func() {
		cancel()
		_ = gateway.Wait()
	}()
	if err := reachable(ctx, ports[2]); err != nil {
		return err
	}
	return errors.Join(
		ask(ctx, engine+", in the clear", ports[1]),
		ask(ctx, engine+", with TLS", ports[2], "-t", "-k"))
}

func reachable(ctx context.Context, port int) error {
	for range 200 {
		c, err := net.DialTimeout("tcp", fmt.Sprint("127.0.0.1:", port), time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("rgate does not listen")
}

var summary = regexp.MustCompile(`(\d+) tests, (\d+) passed`)

// ask runs all cases.
func ask(ctx context.Context, what string, port int, more ...string) error {
	args := append([]string{"-h", "127.0.0.1", "-p", strconv.Itoa(port), "-o", "5"}, more...)
	out, err := exec.CommandContext(ctx, judge, append(args, "generic", "hpack", "http2")...).CombinedOutput()
	found := summary.FindSubmatch(out)
	if found == nil {
		return fmt.Errorf("%s: it said no result (%v):\n%s", what, err, out)
	}
	all, _ := strconv.Atoi(string(found[1]))
	passed, _ := strconv.Atoi(string(found[2]))
	fmt.Printf("%s: %d of %d pass\n", what, passed, all)
	if all != cases || passed != all {
		return fmt.Errorf("%s: %d of %d passed, and all %d are to:\n%s", what, passed, all, cases, out[max(strings.Index(string(out), "Failures:"), 0):])
	}
	return nil
}
