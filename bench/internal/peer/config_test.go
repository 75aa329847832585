//go:build linux

package peer

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/trial"
)

func site(t *testing.T) Site {
	t.Helper()
	dir := t.TempDir()
	cert, key := trial.Certificate(t, dir, "site", Host)
	return Site{
		Dir: dir, Listen: netip.MustParseAddrPort("127.0.0.1:8001"), Secure: netip.MustParseAddrPort("127.0.0.1:8003"),
		Origin: netip.MustParseAddrPort("127.0.0.1:8002"), Cert: cert, Key: key, Pair: cert,
	}
}

// Every peer is told all addresses, the certificate and every route.
func TestConfigsSayTheSame(t *testing.T) {
	for name, write := range map[string]func(Site) map[string]string{
		"nginx.conf": nginxConfig, "haproxy.cfg": haproxyConfig, "Caddyfile": caddyConfig,
		"rgate.yml": func(s Site) map[string]string { return rgateConfig(s, "loop") },
	} {
		text := write(site(t))[name]
		for _, want := range append([]string{"8001", "127.0.0.1:8002", "8003", "site.pem"}, Prefixes...) {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, text)
			}
		}
	}
	if text := haproxyTCPConfig(site(t))["haproxy.cfg"]; !strings.Contains(text, "mode tcp") || !strings.Contains(text, "127.0.0.1:8002") {
		t.Errorf("haproxy.cfg: %s", text)
	}
}

// rgate takes the file that is written for it.
func TestRgateConfig(t *testing.T) {
	s := site(t)
	argv, err := Rgate("rgate", "", "", "loop", 1).command(s)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.Dir, "rgate.yml")
	if argv[len(argv)-1] != file || argv[2] != "8001" {
		t.Errorf("command %q", argv)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(file, text, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Routes) != len(Prefixes) || c.Engine != config.EngineLoop || c.Listen != "127.0.0.1:8001" || c.Backends[0].Endpoints[0] != "127.0.0.1:8002" || c.Listeners[0].TLS == nil {
		t.Errorf("%+v", c)
	}
}

// The account of a process that works grows, and by no more than the time.
func TestCPU(t *testing.T) {
	pids := []int{os.Getpid()}
	before, err := CPU(pids)
	if err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 20*time.Millisecond; {
	}
	after, err := CPU(pids)
	if used := after - before; err != nil || used <= 0 {
		t.Errorf("used %s (%v)", used, err)
	}
	if _, err := CPU([]int{1 << 22}); err == nil {
		t.Error("a process that is not there is no error")
	}
}

func TestMemory(t *testing.T) {
	r := &Process{pids: []int{os.Getpid()}}
	m, err := r.Memory()
	if err != nil || m.Now < 1<<20 || m.Peak < m.Now {
		t.Errorf("%+v (%v)", m, err)
	}
}

func TestOutputKeepsTheEnd(t *testing.T) {
	var o output
	for range 3 * keptOutput {
		_, _ = o.Write([]byte("a"))
	}
	_, _ = o.Write([]byte("the end\n"))
	if text := o.String(); len(text) >= keptOutput || text[len(text)-7:] != "the end" {
		t.Errorf("%d bytes: %.20q…", len(text), text)
	}
}
