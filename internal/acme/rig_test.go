//go:build pebble

package acme

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rgate/internal/enginetest"
	"rgate/internal/trial"
)

// tools is where `make acme` puts pebble.
const tools = "../../.cache"

// output is what a program says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.more != nil {
		close(o.more)
		o.more = nil
	}
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await waits until a text was said so often.
func (o *output) await(t *testing.T, text string, times int) {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		o.mu.Lock()
		said := strings.Count(o.text.String(), text)
		if o.more == nil {
			o.more = make(chan struct{})
		}
		more := o.more
		o.mu.Unlock()
		if said >= times {
			return
		}
		select {
		case <-more:
		case <-limit:
			t.Fatalf("%q was not said %d times in a minute, but:\n%s", text, times, o.String())
		}
	}
}

// program is one that runs until the test ends, or it is told to.
type program struct {
	*output
	cmd  *exec.Cmd
	done chan struct{}
}

func start(t *testing.T, env []string, path string, args ...string) *program {
	t.Helper()
	p := &program{output: &output{}, cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { defer close(p.done); _ = p.cmd.Wait() }()
	t.Cleanup(func() { p.end(t) })
	return p
}

func (p *program) end(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		t.Errorf("%s does not end:\n%s", p.cmd.Path, p)
	}
}

// ca is pebble, and the name server that it asks.
type ca struct {
	t                  *testing.T
	pebble             *program
	directory, root    string // the URL, and the file that vouches for it
	manage, names, dns string // base URLs of management, and the server's address
	http, tls          int    // where it looks for challenges
	config, dir        string
	port               int
}

// profiles are the lives of certificates by what they are called, in seconds.
var profiles = map[string]int{"default": 90 * 24 * 3600, "minute": 60, "hour": 3600}

func newCA(t *testing.T, more map[string]any) *ca {
	t.Helper()
	c := &ca{t: t, dir: t.TempDir(), port: trial.Port(t), http: trial.Port(t), tls: trial.Port(t)}
	cert, key := trial.Certificate(t, c.dir, "pebble", "127.0.0.1", "localhost")
	manage, names, dns := trial.Port(t), trial.Port(t), trial.Port(t)
	c.root, c.directory = cert, fmt.Sprintf("https://127.0.0.1:%d/dir", c.port)
	c.manage, c.names, c.dns = fmt.Sprintf("https://127.0.0.1:%d", manage), fmt.Sprintf("http://127.0.0.1:%d", names), fmt.Sprintf("127.0.0.1:%d", dns)
	lives := map[string]any{}
	for name, seconds := range profiles {
		lives[name] = map[string]any{"description": name, "validityPeriod": seconds}
	}
	said := map[string]any{
		"listenAddress": fmt.Sprintf("127.0.0.1:%d", c.port), "managementListenAddress": fmt.Sprintf("127.0.0.1:%d", manage),
		"certificate": cert, "privateKey": key, "httpPort": c.http, "tlsPort": c.tls, "keyAlgorithm": "ecdsa",
		"domainBlocklist": []string{"blocked.example"}, "retryAfter": map[string]int{"authz": 1, "order": 1}, "profiles": lives,
	}
	for name, value := range more {
		said[name] = value
	}
	text, _ := json.Marshal(map[string]any{"pebble": said})
	c.config = filepath.Join(c.dir, "pebble.json")
	if err := os.WriteFile(c.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	srv := start(t, nil, filepath.Join(tools, "pebble-challtestsrv"), "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "",
		"-dnsserver", c.dns, "-management", strings.TrimPrefix(c.names, "http://"), "-defaultIPv6", "")
	srv.await(t, "Starting management server", 1)
	c.begin()
	return c
}

// begin starts pebble, which has forgotten all from before.
func (c *ca) begin() {
	c.t.Helper()
	c.pebble = start(c.t, []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0", "PEBBLE_WFE_NONCEREJECT=5"},
		filepath.Join(tools, "pebble"), "-config", c.config, "-dnsserver", c.dns, "-strict")
	trialDial(c.t, fmt.Sprintf("127.0.0.1:%d", c.port))
	trialDial(c.t, strings.TrimPrefix(c.manage, "https://"))
}

// trialDial waits until somebody listens.
func trialDial(t *testing.T, address string) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(limit) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // nothing tells when another program listens
	}
}

// roots vouch for what pebble issues now.
func (c *ca) roots() *x509.CertPool {
	c.t.Helper()
	text := c.fetch("GET", c.manage+"/roots/0", nil)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		c.t.Fatalf("pebble's root: %s", text)
	}
	return pool
}

func (c *ca) fetch(method, url string, body []byte) []byte {
	c.t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		c.t.Fatalf("%s %s: %d %s %v", method, url, answer.StatusCode, text, err)
	}
	return text
}

// rgate is the real program.
type rgate struct {
	*program
	t            *testing.T
	ca           *ca
	port         int // the first listener's
	storage, dir string
	config       string
}

// run starts rgate with a configuration in which {names} stand for what a test
// has: {http}, {tls}, {dir}, {ca}, {storage} and {backend}.
func (c *ca) run(text string, flags ...string) *rgate {
	c.t.Helper()
	dir := c.t.TempDir()
	r := &rgate{t: c.t, ca: c, port: trial.Port(c.t), dir: dir, storage: filepath.Join(dir, "state"), config: filepath.Join(dir, "config.yml")}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { fmt.Fprint(w, "hello ", req.Host) }))
	c.t.Cleanup(backend.Close)
	r.write(text + "\nbackends: [{name: b, endpoints: [\"" + strings.TrimPrefix(backend.URL, "http://") + "\"]}]\n")
	r.begin(flags...)
	return r
}

func (r *rgate) begin(flags ...string) {
	r.t.Helper()
	args := append([]string{"--listen", "127.0.0.1:" + strconv.Itoa(r.port), "--config", r.config}, flags...)
	r.program = start(r.t, []string{"SSL_CERT_FILE=" + r.ca.root, "STATE_DIRECTORY=" + r.storage, "HOME=" + r.dir}, r.binary(), args...)
	r.await(r.t, "rgate serves", 1)
}

func (r *rgate) binary() string {
	r.t.Helper()
	path := filepath.Join(r.dir, "rgate")
	if _, err := os.Stat(path); err != nil {
		if err := os.WriteFile(path, enginetest.Compile(r.t, "rgate/cmd/rgate"), 0o755); err != nil {
			r.t.Fatal(err)
		}
	}
	return path
}

func (r *rgate) write(text string) {
	r.t.Helper()
	text = strings.NewReplacer("{http}", strconv.Itoa(r.ca.http), "{tls}", strconv.Itoa(r.ca.tls), "{dir}", r.ca.directory, "{ca}", r.ca.root, "{storage}", r.storage, "{names}", r.ca.names, "{dns}", r.ca.dns).Replace(text)
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// command runs rgate once, to ask the one that runs.
func (r *rgate) command(args ...string) (string, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.binary(), append(args, "--port", strconv.Itoa(r.port))...)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// get asks for a host over TLS. The certificate must be one that the roots vouch
// for.
func (r *rgate) get(host string, roots *x509.CertPool) (string, *x509.Certificate, error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", "127.0.0.1:"+strconv.Itoa(r.ca.tls), &tls.Config{ServerName: host, RootCAs: roots})
	if err != nil {
		return "", nil, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	leaf := conn.ConnectionState().PeerCertificates[0]
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host); err != nil {
		return "", leaf, err
	}
	text, err := io.ReadAll(conn)
	return string(text), leaf, err
}

// served waits until a host is served a certificate that is as f wants it.
func (r *rgate) served(host string, roots *x509.CertPool, f func(*x509.Certificate) bool) *x509.Certificate {
	r.t.Helper()
	for limit := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // from outside, nothing tells of it
		text, leaf, err := r.get(host, roots)
		if err == nil && (f == nil || f(leaf)) {
			if !strings.Contains(text, "hello "+host) {
				r.t.Fatalf("%s: %q", host, text)
			}
			return leaf
		}
		if time.Now().After(limit) {
			r.t.Fatalf("%s is not served as it should be: %v\n%s\n%s", host, err, r, r.ca.pebble)
		}
	}
}
