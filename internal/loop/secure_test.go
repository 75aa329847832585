//go:build linux

package loop

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/rig/ends"
	"rgate/internal/trial"
)

// secure has g serve a certificate for hosts on a listener of its own, whose address
// it returns.
func (g *gate) secure(hosts ...string) string { return g.secureFor("", hosts...) }

// secureFor does so and offers another protocol, too.
func (g *gate) secureFor(protocol string, hosts ...string) string {
	g.t.Helper()
	cert, key := trial.Certificate(g.t, g.t.TempDir(), "cert", hosts...)
	said := &config.ListenerTLS{Certificates: []config.Certificate{{Cert: cert, Key: key}}, HSTS: 3600e9}
	how, _, err := listen.OpenTLS(said, listen.Supply{})
	if err != nil {
		g.t.Fatal(err)
	}
	if protocol != "" {
		how.Config().NextProtos = append(how.Config().NextProtos, protocol)
	}
	// What is accepted inherits the little room, so that it is soon full.
	small := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 32<<10) })
	}}
	l, err := small.Listen(g.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	by := listen.New(l, config.Listener{})
	by.Secure(how)
	if err := g.engine.Open(by); err != nil {
		g.t.Fatal(err)
	}
	return l.Addr().String()
}

// dialTLS is a client's connection to addr, after its handshake.
func dialTLS(t *testing.T, addr string, change func(*tls.Config)) *tls.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return greet(t, c, change)
}

// greet does a client's handshake on c.
func greet(t *testing.T, c net.Conn, change func(*tls.Config)) *tls.Conn {
	t.Helper()
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	cfg := &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"}
	if change != nil {
		change(cfg)
	}
	secure := tls.Client(c, cfg)
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	return secure
}

// ask sends a request and returns its answer, with the body read.
func ask(t *testing.T, c net.Conn, r *bufio.Reader, request string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// versions are those of TLS that are spoken.
var versions = map[string]func(*tls.Config){
	"1.2": func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
	"1.3": func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 },
}

func TestHTTPSInTheLoop(t *testing.T) {
	b := serve(t, func(w http.ResponseWriter, q *http.Request) {
		n, _ := io.Copy(io.Discard, q.Body)
		if q.URL.Path == "/big" {
			w.Header().Set("Content-Length", "1048576")
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
			return
		}
		fmt.Fprintf(w, "%s %s %d", q.Header.Get("X-Forwarded-Proto"), q.Host, n)
	})
	g := start(t, nil, b)
	addr := g.secure("a.example", "b.example", "127.0.0.1")
	for version, only := range versions {
		t.Run(version, func(t *testing.T) {
			c := dialTLS(t, addr, only)
			in := bufio.NewReader(c)
			for _, host := range []string{"a.example", "b.example:443", "A.Example."} {
				resp, body := ask(t, c, in, "GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
				if resp.StatusCode != 200 || body != "https "+host+" 0" || resp.Header.Get("Strict-Transport-Security") != "max-age=3600" {
					t.Errorf("%s: %s %q %v", host, resp.Status, body, resp.Header)
				}
			}
			big := strings.Repeat("x", 1<<20)
			if _, body := ask(t, c, in, fmt.Sprintf("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n%s", len(big), big)); body != "https a.example 1048576" {
				t.Errorf("an upload: %q", body)
			}
			if _, body := ask(t, c, in, "GET /big HTTP/1.1\r\nHost: a.example\r\n\r\n"); body != big {
				t.Errorf("a download of %d bytes", len(body))
			}
			resp, _ := ask(t, c, in, "GET / HTTP/1.1\r\nHost: c.example\r\n\r\n")
			if resp.StatusCode != 421 || resp.Header.Get("X-Rgate-Reason") != "misdirected" {
				t.Errorf("another certificate's host: %s", resp.Status)
			}
			unnamed := dialTLS(t, addr, func(c *tls.Config) { only(c); c.ServerName = "" })
			if resp, _ := ask(t, unnamed, bufio.NewReader(unnamed), "GET / HTTP/1.1\r\nHost: "+addr+"\r\n\r\n"); resp.StatusCode != 200 {
				t.Errorf("by address: %s", resp.Status)
			}
		})
	}
}
