package cli

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// trusting is a client's TLS that trusts what a command printed, and nothing
// else.
func trusting(t *testing.T, printed, name string) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(printed)) || strings.Contains(printed, "PRIVATE") {
		t.Fatalf("it is no certificate: %q", printed)
	}
	return &tls.Config{RootCAs: pool, ServerName: name}
}

// internalAt is static with a listener whose certificates rgate makes.
func internalAt(engine, address, state string) string {
	return static(engine, address) + "state_dir: " + state + "\nlisteners: [{name: secure, address: '127.0.0.1:0', tls: internal}, {name: clear, address: '127.0.0.1:0', redirect: https}]\n"
}

// Who trusts what `rgate ca` prints is served, through an upgrade and a restart
// too, and nobody is served a public name.
func TestTLSInternal(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "state")
			p := spawn(t, spawned{config: internalAt(engine, echo(t), state)})
			secure, clear := p.at("secure"), p.at("clear")
			ca := rgate(t, "ca", "--socket", p.socket)
			ca.want(t, 0, state+"/internal/authority.pem", "rgate internal authority")
			for _, name := range []string{"localhost", "127.0.0.1"} {
				secure.tls = trusting(t, ca.stdout, name)
				secure.serve()
			}
			secure.tls = trusting(t, ca.stdout, "shop.internal")
			if got := secure.names(); len(got) != 1 || got[0] != "shop.internal" {
				t.Errorf("it is served a certificate for %v", got)
			}
			secure.tls = trusting(t, ca.stdout, "shop.example.com")
			if _, err := secure.dial(); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
				t.Errorf("a public name: %v", err)
			}
			answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request(t, "http://127.0.0.1:"+clear.port+"/", "shop.internal"))
			if err != nil || answer.StatusCode != 308 || answer.Header.Get("Location") != "https://shop.internal:"+secure.port+"/" {
				t.Errorf("%+v %v", answer, err)
			}
			secure.tls = trusting(t, ca.stdout, "localhost")
			p.upgrade()
			secure.serve()
			again := rgate(t, "ca", "--socket", filepath.Join(t.TempDir(), "none"), "-c", p.file)
			if again.want(t, 0); again.stdout != ca.stdout {
				t.Error("the file's root is another one")
			}
		})
	}
}

func request(t *testing.T, url, host string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	return r
}

// Where it cannot be kept it is in memory; where it cannot be trusted nothing
// starts.
func TestTLSInternalWithoutADirectory(t *testing.T) {
	address := echo(t)
	p := spawn(t, spawned{config: internalAt("auto", address, "/proc/none")})
	secure := p.at("secure")
	ca := rgate(t, "ca", "--socket", p.socket)
	ca.want(t, 0, "in memory, until the gateway ends")
	secure.tls = trusting(t, ca.stdout, "localhost")
	secure.serve()
	if !strings.Contains(p.said(), "lives in memory") {
		t.Error("the log does not say so")
	}
	state := t.TempDir()
	if err := os.MkdirAll(filepath.Join(state, "internal"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(state, "internal", "authority.pem"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	bad := file(t, internalAt("auto", address, state))
	rgate(t, "--listen", "127.0.0.1:0", "-c", bad).want(t, 2, ":6:", "others may read or write it (mode 0644)")
	rgate(t, "ca", "--socket", filepath.Join(state, "none"), "-c", bad).want(t, 1, "others may read or write it")
}

func TestNoAuthority(t *testing.T) {
	p := spawn(t, spawned{config: static("auto", echo(t))})
	rgate(t, "ca", "--socket", p.socket).want(t, 1, "no listener has `tls: internal`")
	none := filepath.Join(t.TempDir(), "none")
	rgate(t, "ca", "--socket", none, "-c", file(t, "state_dir: "+none+"\n")).want(t, 1, "no gateway answers", "nor is there an authority in "+none+"/internal/authority.pem yet")
	rgate(t, "ca", "--socket", none, "-c", none).want(t, 2, "not found")
}
