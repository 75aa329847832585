package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// Options says which engine to use. The zero value is the one that the docker
// command would use.
type Options struct {
	Host      string              // unix://, tcp:// or ssh://; "" for DOCKER_HOST, the Docker context, the local socket
	TLS       TLS                 // for tcp://
	Env       func(string) string // nil for os.Getenv
	Log       *slog.Logger        // nil for slog.Default()
	Container string              // id of the container that rgate runs in; "" to find out
}

// Engine is a Docker engine, which may or may not be there now.
type Engine struct {
	target    target
	log       *slog.Logger
	container string
	timing    timing
}

// Open finds out which engine is meant. It does not connect: that it cannot be
// reached is told by Watch and Survey.
func Open(o Options) (*Engine, error) {
	if o.Env == nil {
		o.Env = os.Getenv
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	t, err := findTarget(o)
	if err != nil {
		return nil, err
	}
	return &Engine{target: t, log: o.Log, container: o.Container, timing: usualTiming()}, nil
}

// Host is where the engine listens, such as unix:///var/run/docker.sock.
func (e *Engine) Host() string { return e.target.String() }

// connection is a client for one session with the engine. Each session has a
// new one, because the client keeps the API version it agreed on, which a
// restarted engine may no longer speak.
type connection struct {
	*client.Client
	transport *http.Transport
}

func (c *connection) close() { c.transport.CloseIdleConnections() }

// connect asks the engine for its API version and makes a client for it.
func (e *Engine) connect(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timing.patience)
	defer cancel()
	transport := &http.Transport{
		DialContext:     e.dial,
		TLSClientConfig: e.target.tls,
		MaxIdleConns:    6,
		IdleConnTimeout: 30 * time.Second,
	}
	version, err := e.version(ctx, transport)
	if err == nil {
		var c *client.Client
		if c, err = e.client(transport, version); err == nil {
			return &connection{Client: c, transport: transport}, nil
		}
	}
	transport.CloseIdleConnections()
	return nil, err
}

func (e *Engine) scheme() string {
	if e.target.tls != nil {
		return "https"
	}
	return "http"
}

func (e *Engine) client(transport *http.Transport, version string) (*client.Client, error) {
	host := "tcp://docker" // the dial function knows better
	if e.target.scheme == "tcp" {
		host = e.target.String()
	}
	return client.New(
		client.WithHost(host), // before the HTTP client, whose dialer it would replace
		client.WithHTTPClient(&http.Client{Transport: readOnly{checked{transport}}, CheckRedirect: client.CheckRedirect}),
		client.WithScheme(e.scheme()),
		client.WithAPIVersion(version),
	)
}

// version is the newest API version that the engine and the client both speak.
// The client would find out with a HEAD of /_ping, which a socket proxy that
// allows what rgate needs need not allow.
func (e *Engine) version(ctx context.Context, transport http.RoundTripper) (string, error) {
	host := "docker"
	if e.target.scheme == "tcp" {
		host = e.target.addr
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.scheme()+"://"+host+"/version", nil)
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", fmt.Errorf("cannot reach the Docker engine at %s: %w", e.target, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // what is cut off is no JSON
	if err != nil {
		return "", fmt.Errorf("cannot read the version of the engine at %s: %w", e.target, err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("cannot ask the engine at %s for its version: %s: %.200s", e.target, resp.Status, body)
	}
	var answer struct{ APIVersion string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("cannot read the version of the engine at %s: %w", e.target, err)
	}
	if older(answer.APIVersion, client.MinAPIVersion) {
		return "", fmt.Errorf("the engine at %s speaks API %q: rgate needs %s, which Docker 19.03 and later speak", e.target, answer.APIVersion, client.MinAPIVersion)
	}
	if older(answer.APIVersion, client.MaxAPIVersion) {
		return answer.APIVersion, nil
	}
	return client.MaxAPIVersion, nil
}

// older compares API versions such as 1.41; what is no version is oldest.
func older(a, b string) bool {
	number := func(v string) int {
		major, minor, _ := strings.Cut(v, ".")
		m, err1 := strconv.Atoi(major)
		n, err2 := strconv.Atoi(minor)
		if err1 != nil || err2 != nil {
			return -1
		}
		return m*1000 + n
	}
	return number(a) < number(b)
}

func (e *Engine) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var d net.Dialer
	switch e.target.scheme {
	case "ssh":
		return dialSSH(ctx, e.target)
	case "unix":
		return d.DialContext(ctx, "unix", e.target.addr)
	}
	return d.DialContext(ctx, "tcp", e.target.addr)
}

// readOnly lets GET requests through alone: rgate is not to change anything,
// whatever a later version of the client does.
type readOnly struct{ next http.RoundTripper }

func (r readOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet {
		return nil, fmt.Errorf("BUG: rgate sends the engine GET requests alone, not %s %s", req.Method, req.URL.Path)
	}
	return r.next.RoundTrip(req)
}
