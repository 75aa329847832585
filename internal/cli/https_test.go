package cli

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"rgate/internal/trial"
)

// scheme is how a URL begins for who calls.
func (p *process) scheme() string {
	if p.tls != nil {
		return "https://"
	}
	return "http://"
}

func (p *process) dial() (net.Conn, error) {
	if p.tls != nil {
		return tls.Dial("tcp", "127.0.0.1:"+p.port, p.tls)
	}
	return net.Dial("tcp", "127.0.0.1:"+p.port)
}

// secured is static with a listener that speaks TLS, at a free port.
func secured(engine, address string) string {
	return static(engine, address) + "listeners: [{name: secure, address: '127.0.0.1:0', tls: {certificates: [{cert: c.pem, key: c.key}]}}]\n"
}

// certificate puts a certificate beside p's file.
func (p *process) certificate(hosts ...string) {
	p.t.Helper()
	trial.Certificate(p.t, filepath.Dir(p.file), "c", hosts...)
}

// names are the hosts of the certificate that is served.
func (p *process) names() []string {
	p.t.Helper()
	conn, err := p.dial()
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].DNSNames
}

// spawnSecured starts an rgate that speaks TLS, beside the first listener.
func spawnSecured(t *testing.T, config string) (first, secure *process) {
	t.Helper()
	o := spawned{config: config}
	p := prepare(t, &o)
	p.certificate("first.example", "127.0.0.1")
	p.start(o)
	until(t, "it serves", p.serves)
	secure = p.at("secure")
	secure.tls = &tls.Config{InsecureSkipVerify: true} // what is served is looked at by who wants to know
	return p, secure
}

// Certificates that change and upgrades cost no request.
func TestHTTPSUnderLoad(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			_, secure := spawnSecured(t, secured(engine, echo(t)))
			ws := secure.webSocket()
			ws.say(t, "hello")
			stop := secure.load()
			for n := range 3 {
				name := fmt.Sprintf("n%d.example", n)
				secure.certificate(name, "127.0.0.1")
				until(t, "the new certificate is served", func() bool { return secure.names()[0] == name })
				if n != 1 {
					secure.upgrade()
				}
				ws.say(t, "still here")
			}
			if well, wrong := stop(); len(wrong) > 0 || well < 20 {
				t.Errorf("%d requests went well, these did not:\n%s", well, strings.Join(wrong, "\n"))
			}
		})
	}
}

// Who asks in the clear for a host with a certificate is sent to it, and nobody
// else; there they are told to come so for a while.
func TestRedirectToHTTPS(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			config := strings.Replace(secured(engine, echo(t)), "key: c.key}]}}]", "key: c.key}], hsts: 1h}}, {name: clear, address: '127.0.0.1:0', redirect: https}]", 1)
			p, secure := spawnSecured(t, config)
			clear := p.at("clear")
			conn, err := clear.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			for host, want := range map[string]string{
				"first.example": "https://first.example:" + secure.port + "/a%20b?c=d", "FIRST.example.:80": "https://FIRST.example.:" + secure.port + "/a%20b?c=d",
				"other.example": "", "127.0.0.1:1": "https://127.0.0.1:" + secure.port + "/a%20b?c=d",
			} {
				fmt.Fprintf(conn, "GET /a%%20b?c=d HTTP/1.1\r\nHost: %s\r\n\r\n", host)
				answer, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				redirected := answer.StatusCode == 308 && answer.Header.Get("X-Rgate-Reason") == "https_redirect"
				if answer.Header.Get("Location") != want || redirected != (want != "") || answer.Header.Get("Strict-Transport-Security") != "" {
					t.Errorf("%s: %s %v", host, answer.Status, answer.Header)
				}
			}
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: secure.tls, DisableKeepAlives: true}}
			answer, err := client.Get("https://127.0.0.1:" + secure.port + "/")
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if got := answer.Header.Values("Strict-Transport-Security"); len(got) != 1 || got[0] != "max-age=3600" {
				t.Errorf("Strict-Transport-Security: %q", got)
			}
		})
	}
}

// A listener that speaks TLS is told not to by a reload, and to do so again.
func TestAListenerChangesToTLSAndBack(t *testing.T) {
	for _, engine := range []string{"standard", "loop"} {
		t.Run(engine, func(t *testing.T) {
			address := echo(t)
			p, secure := spawnSecured(t, secured(engine, address))
			secure.serve()
			plain := *secure
			plain.tls = nil
			p.reconfigure(with(engine, address, "secure")).want(t, 0, "reloaded\n")
			plain.serve()
			if _, err := secure.dial(); err == nil {
				t.Error("it still speaks TLS")
			}
			p.reconfigure(secured(engine, address)).want(t, 0, "reloaded\n")
			secure.serve()
			p.serve()
		})
	}
}

// What is wrong with certificates is told as what is wrong with the file is, and
// nothing of that file takes effect.
func TestCertificatesThatCannotBeServed(t *testing.T) {
	address := echo(t)
	p, secure := spawnSecured(t, secured("auto", address))
	bad := static("auto", address) + "listeners:\n  - {name: secure, address: '127.0.0.1:0', tls: {certificates: [{cert: c.pem, key: c.key}, {cert: none.pem, key: c.pem}]}}\n"
	p.reconfigure(bad).want(t, 2, "c.yml:7:99: cannot read the certificate ", "none.pem: no such file or directory")
	secure.serve()
	rgate(t, "check", "-c", p.file).want(t, 2, "cannot read the certificate ", "none.pem")
	rgate(t, "--port", "0", "-c", p.file).want(t, 2, "cannot read the certificate ", "none.pem")
	p.reconfigure(secured("auto", "127.0.0.1:1")+"limits: {connections: -1}\n").want(t, 2, "`connections` cannot be")
	secure.serve()
	p.reconfigure(secured("auto", address)).want(t, 0, "reloaded\n")
	rgate(t, "check", "-c", p.file).want(t, 0, "c.yml is fine: 1 route, 1 backend, 1 listener beside the first\n")
}
