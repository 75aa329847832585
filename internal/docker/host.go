package docker

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// localSocket is where an engine listens when nothing says otherwise.
const localSocket = "/var/run/docker.sock"

// target is where an engine listens.
type target struct {
	scheme string      // unix, tcp or ssh
	addr   string      // socket path, host:port, or [user@]host[:port]
	tls    *tls.Config // of tcp
}

// String is the target as people write it.
func (t target) String() string { return t.scheme + "://" + t.addr }

// host is the name or address of the machine that the engine runs on.
func (t target) host() string {
	switch t.scheme {
	case "tcp":
		host, _, _ := net.SplitHostPort(t.addr)
		return host
	case "ssh":
		u, err := url.Parse(t.String())
		if err != nil {
			return t.addr
		}
		return u.Hostname()
	}
	return "127.0.0.1"
}

// local tells whether the engine runs on this machine, as far as its address
// tells.
func (t target) local() bool {
	return place{host: t.host()}.onHost()
}

// findTarget resolves which engine is meant: the one named, else DOCKER_HOST,
// else the Docker context, else the local socket, else the rootless one.
func findTarget(o Options) (target, error) {
	if o.Host != "" {
		return parseTarget(o.Host, o.TLS, o.Env)
	}
	if host := o.Env("DOCKER_HOST"); host != "" {
		return parseTarget(host, o.TLS, o.Env)
	}
	host, files, err := contextEndpoint(o.Env)
	if err != nil {
		return target{}, err
	}
	if host != "" {
		return parseTarget(host, cmp.Or(o.TLS, files), o.Env)
	}
	if rootless := filepath.Join(o.Env("XDG_RUNTIME_DIR"), "docker.sock"); filepath.IsAbs(rootless) && !exists(localSocket) && exists(rootless) {
		return target{scheme: "unix", addr: rootless}, nil
	}
	return target{scheme: "unix", addr: localSocket}, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}

func parseTarget(host string, files TLS, env func(string) string) (target, error) {
	scheme, addr, ok := strings.Cut(host, "://")
	if !ok || addr == "" || scheme != "unix" && scheme != "tcp" && scheme != "ssh" {
		return target{}, fmt.Errorf("cannot use docker host %q: want unix:///path, tcp://host:port or ssh://user@host", host)
	}
	t := target{scheme: scheme, addr: addr}
	if scheme != "tcp" {
		return t, nil
	}
	if files == (TLS{}) && env("DOCKER_TLS_VERIFY") != "" {
		dir := cmp.Or(env("DOCKER_CERT_PATH"), configDir(env))
		files = TLS{CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	}
	port := "2375"
	if files != (TLS{}) {
		config, err := files.config()
		if err != nil {
			return target{}, err
		}
		t.tls, port = config, "2376"
	}
	t.addr = strings.TrimSuffix(t.addr, "/")
	if _, _, err := net.SplitHostPort(t.addr); err != nil {
		t.addr = net.JoinHostPort(strings.Trim(t.addr, "[]"), port)
	}
	return t, nil
}

// TLS names the PEM files for an engine behind tcp://. Without a CA the
// system's are trusted.
type TLS struct {
	CA   string
	Cert string
	Key  string
}

func (f TLS) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		pem, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("cannot read the engine's CA: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cannot read the engine's CA: no certificate in %s", f.CA)
		}
	}
	if f.Cert != "" || f.Key != "" {
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return nil, fmt.Errorf("cannot read the client certificate for the engine: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
