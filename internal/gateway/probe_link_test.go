package gateway

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/link"
	"rgate/internal/trial"
	"rgate/internal/upstream"
)

// A probe speaks as requests do.
func TestProbesSpeakWhatRequestsSpeak(t *testing.T) {
	cert, key := trial.Certificate(t, t.TempDir(), "endpoint", "endpoint.test")
	rules := config.Health{Path: "/well", Timeout: 20 * time.Second, Expect: 200}
	for _, scheme := range []config.Scheme{config.SchemeHTTPS, config.SchemeH2C, config.SchemeH2} {
		t.Run(string(scheme), func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			heard := make(chan string, 1)
			s := &http.Server{Protocols: &http.Protocols{}, Handler: http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { heard <- q.Proto + q.URL.Path })}
			s.Protocols.SetHTTP1(!scheme.HTTP2())
			s.Protocols.SetHTTP2(scheme.HTTP2())
			s.Protocols.SetUnencryptedHTTP2(scheme.HTTP2())
			done := make(chan struct{})
			go func() {
				defer close(done)
				if scheme.Secure() {
					_ = s.ServeTLS(l, cert, key)
				} else {
					_ = s.Serve(l)
				}
			}()
			t.Cleanup(func() { _ = s.Close(); <-done })
			e := upstream.New(upstream.Identity{Backend: "b", Address: l.Addr().String()}, "e", 1, true)
			e.Link = link.New(&config.Backend{Scheme: scheme, TLS: config.EndpointTLS{CA: cert, ServerName: "endpoint.test"}})
			if err := ask(t.Context(), e, rules); err != nil {
				t.Fatal(err)
			}
			if got := <-heard; strings.HasPrefix(got, "HTTP/2") != scheme.HTTP2() || !strings.HasSuffix(got, "/well") {
				t.Errorf("the endpoint heard %s", got)
			}
			if e.Link = link.New(&config.Backend{Scheme: scheme}); scheme.Secure() && ask(t.Context(), e, rules) == nil {
				t.Error("a probe trusts whom requests do not")
			}
		})
	}
}

// A probe is of rgate itself, and says so to who wants to know.
func TestProbesAreOfNoClient(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		if line, _ := in.ReadString('\n'); line != "PROXY UNKNOWN\r\n" {
			t.Errorf("the endpoint was told %q", line)
		}
		if _, err := http.ReadRequest(in); err == nil {
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	e := upstream.New(upstream.Identity{Backend: "b", Address: l.Addr().String()}, "e", 1, true)
	e.Link = link.New(&config.Backend{ProxyProtocol: config.ProxyV1})
	if err := ask(t.Context(), e, config.Health{Path: "/", Timeout: 20 * time.Second, Expect: 200}); err != nil {
		t.Fatal(err)
	}
}
