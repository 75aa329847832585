//go:build linux

package peer

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Prefixes are the paths that every peer routes to the origin.
var Prefixes = []string{"/api/payment", "/api/orders", "/"}

// mostConnections is what every peer is told to expect.
const mostConnections = 9_600

// Role says what a peer is measured for.
type Role string

// The roles.
const (
	Reference     Role = "reference"     // rgate is held against the cheaper of these
	Subject       Role = "subject"       // rgate
	Informational Role = "informational" // does something else, and shows a bound
)

// Peer is one gateway.
type Peer struct {
	Name    string
	Version string
	Role    Role

	argv    func(dir string) []string // the command, given where its files are
	config  func(Site) map[string]string
	tcp     bool // moves bytes and sees no requests
	hybrid  bool // takes X25519MLKEM768 where it is offered
	procs   int  // how many Go threads may run at once; 0 where it is none of Go's
	workers int  // how many processes its first one starts, and leaves the work to
}

// Site is where a peer runs.
type Site struct {
	Dir    string // for its files alone
	Listen netip.AddrPort
	Secure netip.AddrPort // the same over TLS
	Origin netip.AddrPort
	// Files of the certificate for Host, of its key, and of both in one.
	Cert, Key, Pair string
}

// Host is whom requests are for.
const Host = "shop.example"

// Hybrid tells whether the peer takes part in the key exchange X25519MLKEM768.
func (p Peer) Hybrid() bool { return p.hybrid }

// RelaysBytesOnly tells whether the peer knows nothing of requests.
func (p Peer) RelaysBytesOnly() bool { return p.tcp }

// Nginx is the installed nginx.
func Nginx() (Peer, error) {
	out, err := exec.Command("nginx", "-v").CombinedOutput()
	if err != nil {
		return Peer{}, fmt.Errorf("cannot run nginx: %w", err)
	}
	_, version, _ := strings.Cut(string(out), "nginx/")
	return Peer{
		Name: "nginx", Version: strings.TrimSpace(version), Role: Reference, workers: 1,
		argv: func(dir string) []string {
			return []string{"nginx", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr"}
		},
		config: nginxConfig,
	}, nil
}

// HAProxy is the installed HAProxy; with tcp, in the mode that relays bytes.
func HAProxy(tcp bool) (Peer, error) {
	out, err := exec.Command("haproxy", "-v").Output()
	if err != nil {
		return Peer{}, fmt.Errorf("cannot run haproxy: %w", err)
	}
	p := Peer{
		Name: "HAProxy", Version: word(string(out), 2), Role: Reference, tcp: tcp,
		argv:   func(dir string) []string { return []string{"haproxy", "-db", "-f", filepath.Join(dir, "haproxy.cfg")} },
		config: haproxyConfig,
	}
	if tcp {
		p.Name, p.Role, p.config = "HAProxy TCP", Informational, haproxyTCPConfig
	}
	return p, nil
}

// Rgate is a binary of rgate's on one of its engines, which has so many loops
// if it is the loop. They share a processor, however many they are. The label
// tells apart several binaries.
func Rgate(binary, version, label, engine string, loops int) Peer {
	name := strings.TrimSpace("rgate " + engine + " " + label)
	if loops > 1 {
		name = fmt.Sprintf("%s ×%d", name, loops)
	}
	return Peer{
		Name: name, Version: version, Role: Subject, procs: loops, hybrid: true,
		argv:   func(dir string) []string { return []string{binary} },
		config: func(s Site) map[string]string { return rgateConfig(s, engine) },
	}
}

// Caddy is a binary of Caddy's.
func Caddy(binary, version string) Peer {
	return Peer{
		Name: "Caddy", Version: version, Role: Informational, procs: 1, hybrid: true,
		argv: func(dir string) []string {
			return []string{binary, "run", "--adapter", "caddyfile", "--config", filepath.Join(dir, "Caddyfile")}
		},
		config: caddyConfig,
	}
}

// command writes the peer's files and returns what to start.
func (p Peer) command(s Site) ([]string, error) {
	for name, text := range p.config(s) {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("cannot write the config of %s: %w", p.Name, err)
		}
	}
	argv := p.argv(s.Dir)
	if p.Role == Subject {
		argv = append(argv, "--port", fmt.Sprint(s.Listen.Port()), "--config", filepath.Join(s.Dir, "rgate.yml"))
	}
	return argv, nil
}

// word is the i-th word of a text; "" if there are fewer.
func word(text string, i int) string {
	if fields := strings.Fields(text); i < len(fields) {
		return fields[i]
	}
	return ""
}
