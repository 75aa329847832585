// Command interop has gRPC's own client and server judge rgate: each case that a
// proxy can pass is run through the real binary, with TLS and without it on either
// side. It fails unless all pass.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"rgate/internal/trial"
)

// cases are those of interop-test-descriptions.md that the client knows, without
// what needs an account of a cloud or a balancer in the client: those are not about
// what a proxy sees, and fail without one, too.
var cases = []string{
	"empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
	"timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response",
	"status_code_and_message", "special_status_message", "custom_metadata",
	"unimplemented_method", "unimplemented_service", "rpc_soak", "channel_soak",
}

// modFile pins the judges.
const modFile = "tools/interop/go.mod"

// host is a name in the certificate that the judges bring along.
const host = "rgate.test.google.fr"

func main() { trial.Main("interop", run) }

func run(args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("interop", flag.ContinueOnError)
	only := f.String("only", "", "run the cases whose names match")
	engine := f.String("engine", "auto", "of rgate")
	if err := trial.Parse(f, args, stderr); err != nil {
		return err
	}
	chosen, err := trial.Only(*only, "case", cases, func(c string) string { return c })
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "interop")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &stand{ctx: ctx, dir: dir, engine: *engine}
	if err := s.build(); err != nil {
		return err
	}
	defer s.stop()
	if err := s.start(); err != nil {
		return err
	}
	failed := 0
	for _, way := range s.ways {
		for _, c := range chosen {
			began := time.Now()
			out, err := s.judge(way, c)
			verdict := "fine"
			if err != nil {
				verdict = fmt.Sprintf("FAILED: %v\n%s", err, out)
				failed++
			}
			fmt.Fprintf(stdout, "%-24s %-28s %6.2f s  %s\n", way.name, c, time.Since(began).Seconds(), verdict)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d cases failed", failed, len(chosen)*len(s.ways))
	}
	fmt.Fprintf(stdout, "all %d cases are fine\n", len(chosen)*len(s.ways))
	return nil
}

// way is how a client comes to rgate, and rgate to the server.
type way struct {
	name   string
	secure bool
	port   int // of rgate
}

// stand is the programs that take part.
type stand struct {
	ctx     context.Context
	dir     string
	engine  string
	judges  string // where their binaries are
	samples string // where their certificates are
	running []*exec.Cmd
	ways    []way
}

// build makes all programs. The judges stay in the cache.
func (s *stand) build() error {
	s.judges = ".cache/interop"
	if err := os.MkdirAll(s.judges, 0o755); err != nil {
		return err
	}
	if err := trial.Build(s.ctx, filepath.Join(s.dir, "rgate")); err != nil {
		return err
	}
	const module = "google.golang.org/grpc"
	if _, err := s.goTool("build", "-o", s.judges+"/", module+"/interop/client", module+"/interop/server"); err != nil {
		return err
	}
	at, err := s.goTool("list", "-m", "-f", "{{.Dir}}", module)
	s.samples = filepath.Join(strings.TrimSpace(at), "testdata")
	return err
}

func (s *stand) goTool(verb string, args ...string) (string, error) {
	cmd := exec.CommandContext(s.ctx, "go", append([]string{verb, "-modfile=" + modFile}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot make the judges: %w", err)
	}
	return string(out), nil
}

// start runs two servers, and rgate before both.
func (s *stand) start() error {
	var ports [6]int
	for i := range ports {
		port, err := trial.FreePort()
		if err != nil {
			return err
		}
		ports[i] = port
	}
	plain, secure, rest := ports[0], ports[1], ports[2:]
	s.ways = []way{
		{"h2c to grpc", false, rest[0]}, {"TLS to grpc", true, rest[1]},
		{"h2c to grpcs", false, rest[2]}, {"TLS to grpcs", true, rest[3]},
	}
	server := filepath.Join(s.judges, "server")
	if err := s.launch(plain, server, "-port", fmt.Sprint(plain)); err != nil {
		return err
	}
	if err := s.launch(secure, server, "-port", fmt.Sprint(secure), "-use_tls"); err != nil {
		return err
	}
	for i, scheme := range []string{"grpc", "grpcs"} {
		port := plain
		if scheme == "grpcs" {
			port = secure
		}
		name := filepath.Join(s.dir, scheme+".yml")
		if err := os.WriteFile(name, []byte(s.config(scheme, port, rest[2*i], rest[2*i+1])), 0o600); err != nil {
			return err
		}
		if err := s.launch(rest[2*i], filepath.Join(s.dir, "rgate"), "serve", "--config", name, "--listen", "127.0.0.1:0"); err != nil {
			return err
		}
	}
	return nil
}

// config is a file of rgate's, with a listener for HTTP/2 without TLS and one with.
func (s *stand) config(scheme string, server, plain, secure int) string {
	tls := ""
	if scheme == "grpcs" {
		tls = fmt.Sprintf(", tls: {ca: %q, server_name: %s}", filepath.Join(s.samples, "ca.pem"), host)
	}
	return fmt.Sprintf(`engine: %s
admin: {socket: %q}
listeners:
  - {address: "127.0.0.1:%d", protocols: [h1, h2c]}
  - {address: "127.0.0.1:%d", tls: {certificates: [{cert: %q, key: %q}]}}
routes:
  - {path_prefix: /grpc.testing., backend: b}
  - {path_prefix: /xds.service.orca., backend: b}
backends:
  - {name: b, endpoints: ["127.0.0.1:%d"], scheme: %s%s}
`, s.engine, filepath.Join(s.dir, scheme+".sock"), plain, secure, s.sample("server1.pem"), s.sample("server1.key"), server, scheme, tls)
}

func (s *stand) sample(name string) string { return filepath.Join(s.samples, name) }

// launch runs a program until stop, and waits until it listens.
func (s *stand) launch(port int, program string, args ...string) error {
	log, err := os.Create(filepath.Join(s.dir, fmt.Sprint(port, ".log")))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(s.ctx, program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.running = append(s.running, cmd)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			said, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%s does not listen: %s", program, said)
		}
	}
}

func (s *stand) stop() {
	for _, cmd := range s.running {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// judge runs one case.
func (s *stand) judge(w way, name string) (out []byte, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	args := []string{"-server_host", "127.0.0.1", "-server_port", fmt.Sprint(w.port), "-test_case", name}
	if w.secure {
		args = append(args, "-use_tls", "-use_test_ca", "-ca_file", s.sample("ca.pem"), "-server_host_override", host)
	}
	if strings.HasSuffix(name, "_soak") {
		args = append(args, "-soak_iterations", "50", "-soak_overall_timeout_seconds", "50", "-soak_per_iteration_max_acceptable_latency_ms", "10000")
	}
	return exec.CommandContext(ctx, filepath.Join(s.judges, "client"), args...).CombinedOutput()
}
