//go:build linux

package conformance

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
	"rgate/internal/trial"
)

// secureEndpoint is an endpoint with TLS that talk carries each connection of,
// and what of the configuration makes it known.
func secureEndpoint(t *testing.T, talk func(c *tls.Conn, in *bufio.Reader)) (address string, change func(*config.Config)) {
	t.Helper()
	cert, key := trial.Certificate(t, t.TempDir(), "endpoint", "endpoint.test")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	address = ends.Talk(t, func(c net.Conn, _ *bufio.Reader) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})
		if s.Handshake() == nil {
			talk(s, bufio.NewReader(s))
		}
	})
	return address, func(cfg *config.Config) {
		cfg.Backends[0].Scheme = config.SchemeHTTPS
		cfg.Backends[0].TLS = config.EndpointTLS{CA: cert, ServerName: "endpoint.test"}
	}
}

// echoesBodies answers each request with its body.
func echoesBodies(t *testing.T) func(c *tls.Conn, in *bufio.Reader) {
	return func(c *tls.Conn, in *bufio.Reader) {
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nFrom: %v\r\nContent-Length: %d\r\n\r\n%s", c.RemoteAddr(), len(body), body)
		}
	}
}

// What an endpoint with TLS is asked, and answers, is what one without is: by
// both engines, on one connection for several requests.
func TestEndpointsSpeakTLS(t *testing.T) {
	for _, kind := range rig.Engines {
		t.Run(kind, func(t *testing.T) {
			address, change := secureEndpoint(t, echoesBodies(t))
			r := rig.Start(t, kind, change, address)
			c, in := dial(t, r.Addr)
			var from string
			for i, size := range []int{0, 1, 100, 16 << 10, 1 << 20} {
				body := strings.Repeat("x", size)
				go func() {
					_, _ = fmt.Fprintf(c, "PUT /%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", i, size, body)
				}()
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(res.Body)
				if err != nil || !bytes.Equal(got, []byte(body)) {
					t.Fatalf("%d: got %d bytes back, %v", size, len(got), err)
				}
				if size < 16<<10 && from != "" && res.Header.Get("From") != from {
					t.Errorf("request %d went on another connection", i)
				}
				from = res.Header.Get("From")
			}
			counted := func() uint64 { return r.Gate.Table().Total().Report().Requests.Success }
			ends.Until(t, "all are counted", func() bool { return counted() >= 5 })
			if n := counted(); n != 5 {
				t.Errorf("%d requests were counted, 5 came", n)
			}
		})
	}
}

// The end of a connection tells the end of an answer only where TLS says so: the
// other one can be anybody's doing.
func TestTLSTellsTheEnd(t *testing.T) {
	for _, kind := range rig.Engines {
		for _, orderly := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", kind, orderly), func(t *testing.T) {
				address, change := secureEndpoint(t, func(c *tls.Conn, in *bufio.Reader) {
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nhalf")
					if orderly {
						_ = c.Close()
					}
				})
				r := rig.Start(t, kind, change, address)
				c, in := dial(t, r.Addr)
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				if whole := err == nil; whole != orderly || string(body) != "half" {
					t.Errorf("got %q, %v", body, err)
				}
			})
		}
	}
}
