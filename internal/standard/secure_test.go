package standard

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/listen"
	"rgate/internal/trial"
)

// secure has r serve certificates, one for each list of hosts, on a listener of
// its own, whose address it returns.
func (r *rig) secure(certificates ...[]string) string {
	r.t.Helper()
	said := &config.ListenerTLS{}
	for i, hosts := range certificates {
		cert, key := trial.Certificate(r.t, r.t.TempDir(), fmt.Sprint(i), hosts...)
		said.Certificates = append(said.Certificates, config.Certificate{Cert: cert, Key: key})
	}
	secure, _, err := listen.OpenTLS(said, listen.Supply{})
	if err != nil {
		r.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	by := listen.New(l, config.Listener{})
	by.Secure(secure)
	if err := r.Open(by); err != nil {
		r.t.Fatal(err)
	}
	return l.Addr().String()
}

// dialTLS asks for a name, "" for none.
func dialTLS(t *testing.T, addr, name string) *tls.Conn {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, ServerName: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ask sends a request and returns its answer, with the body read.
func ask(t *testing.T, c net.Conn, r *bufio.Reader, request string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
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

func TestHTTPS(t *testing.T) {
	b := backend(t, func(w http.ResponseWriter, q *http.Request) {
		n, _ := io.Copy(io.Discard, q.Body)
		fmt.Fprintf(w, "%s %s %d", q.Header.Get("X-Forwarded-Proto"), q.Host, n)
	})
	r := start(t, nil, b)
	addr := r.secure([]string{"a.example", "b.example"}, []string{"c.example", "127.0.0.1"})
	c := dialTLS(t, addr, "a.example")
	in := bufio.NewReader(c)
	for _, host := range []string{"a.example", "b.example:443", "A.Example."} {
		if resp, body := ask(t, c, in, "GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); resp.StatusCode != 200 || body != "https "+host+" 0" {
			t.Errorf("%s: %s %q", host, resp.Status, body)
		}
	}
	big := strings.Repeat("x", 300_000)
	if _, body := ask(t, c, in, fmt.Sprintf("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n%s", len(big), big)); body != "https a.example 300000" {
		t.Errorf("an upload: %q", body)
	}
	resp, _ := ask(t, c, in, "GET / HTTP/1.1\r\nHost: c.example\r\n\r\n")
	if resp.StatusCode != 421 || resp.Header.Get("X-Rgate-Reason") != "misdirected" {
		t.Errorf("another certificate's host: %s", resp.Status)
	}
	if resp, _ := ask(t, c, in, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); resp.StatusCode != 200 {
		t.Errorf("after it: %s", resp.Status)
	}
	c = dialTLS(t, addr, "")
	if resp, _ := ask(t, c, bufio.NewReader(c), "GET / HTTP/1.1\r\nHost: "+addr+"\r\n\r\n"); resp.StatusCode != 200 {
		t.Errorf("by address: %s", resp.Status)
	}
}

// An answer that ends with the connection ends whole with TLS's own end, and
// one that breaks off without it.
func TestHTTPSEnds(t *testing.T) {
	b := rawBackend(t, func(_ int, c net.Conn, r *bufio.Reader) {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if q.URL.Path == "/cut" {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nwhole")
	})
	r := start(t, nil, b)
	addr := r.secure([]string{"a.example"})
	for path, want := range map[string]string{"/": "whole", "/cut": "half"} {
		c := dialTLS(t, addr, "a.example")
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.0\r\nHost: a.example\r\n\r\n", path); err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(c)
		if !strings.HasSuffix(string(text), "\r\n\r\n"+want) || (err == nil) != (want == "whole") {
			t.Errorf("%s: %q, %v", path, text, err)
		}
	}
}

func TestPlainHTTPWhereTLSIsSpoken(t *testing.T) {
	r := start(t, nil, backend(t, func(http.ResponseWriter, *http.Request) {}))
	c, err := net.Dial("tcp", r.secure([]string{"a.example"}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	resp, body := ask(t, c, bufio.NewReader(c), "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
	if resp.StatusCode != 400 || !strings.Contains(body, "https://") {
		t.Errorf("%s %q", resp.Status, body)
	}
}

// A client that never finishes its handshake is closed, and one that is quiet
// is told before it is.
func TestHTTPSTimeouts(t *testing.T) {
	r := start(t, func(c *config.Config) {
		c.Timeouts.ClientHeader, c.Timeouts.Idle = 50*time.Millisecond, 50*time.Millisecond
	}, backend(t, func(http.ResponseWriter, *http.Request) {}))
	addr := r.secure([]string{"a.example"})
	mute, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	if _, err := io.ReadAll(mute); err != nil {
		t.Errorf("a client without a handshake: %v", err)
	}
	c := dialTLS(t, addr, "a.example")
	in := bufio.NewReader(c)
	ask(t, c, in, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
	if _, err := in.ReadByte(); err != io.EOF { // not io.ErrUnexpectedEOF
		t.Errorf("a quiet client: %v", err)
	}
}

// A write that takes longer than the idle limit goes on as long as some of it is
// taken.
func TestHTTPSToASlowReader(t *testing.T) {
	const size = 24 << 20
	b := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(size))
		_, _ = io.CopyN(w, zeros{}, size)
	})
	r := start(t, func(c *config.Config) { c.Timeouts.Idle = 150 * time.Millisecond }, b)
	c := dialTLS(t, r.secure([]string{"a.example"}), "a.example")
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	in, moved := bufio.NewReader(c), 0
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 3<<20)
	for began := time.Now(); ; {
		n, err := io.ReadFull(resp.Body, buf)
		moved += n
		if err != nil {
			break
		}
		if time.Since(began) < time.Second {
			time.Sleep(100 * time.Millisecond) // the slow reader itself
		}
	}
	if moved != size {
		t.Errorf("%d bytes of %d arrive", moved, size)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
