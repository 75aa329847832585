//go:build linux

package load

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"rgate/internal/trial"
)

// startSecure is an origin over TLS, which asks the config before each handshake.
func startSecure(t *testing.T, change func(*tls.Config)) netip.AddrPort {
	t.Helper()
	cert, key := trial.Certificate(t, t.TempDir(), "site", "shop.example")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if change != nil {
		change(config)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		size, _ := strconv.Atoi(path.Base(r.URL.Path))
		w.Header().Set("Content-Length", strconv.Itoa(size))
		_, _ = w.Write(bytes.Repeat([]byte{'x'}, size))
	})}
	go func() { _ = s.Serve(tls.NewListener(l, config)) }()
	t.Cleanup(func() { s.Close() })
	return netip.MustParseAddrPort(l.Addr().String())
}

func classic() *Secure {
	return &Secure{Name: "shop.example", Offer: tls.X25519, Expect: tls.X25519}
}

func TestSecureLoop(t *testing.T) {
	address := startSecure(t, nil)
	for name, request := range map[string]Request{
		"small":    {Paths: paths("a/128", "b/128"), Answer: 128},
		"browser":  {Paths: paths("128"), Answer: 128, Browser: true},
		"post":     {Paths: paths("128"), Answer: 128, Body: 1 << 10},
		"upload":   {Paths: paths("0"), Answer: 0, Body: 1 << 20},
		"download": {Paths: paths("1048576"), Answer: 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Run(Options{Address: address, Connections: 8, Request: request, Secure: classic(), Duration: 300 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if got.Requests == 0 || got.Errors != 0 || got.Reconnects != 0 || got.P50 <= 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Every kind of handshake is the one that was asked for, on each connection.
func TestHandshakes(t *testing.T) {
	address := startSecure(t, nil)
	hybrid := &Secure{Name: "shop.example", Offer: tls.X25519MLKEM768, Expect: tls.X25519MLKEM768}
	for name, test := range map[string]struct {
		kind   Handshake
		secure *Secure
	}{"full": {Full, classic()}, "resumed": {Resumed, classic()}, "hybrid": {Full, hybrid}} {
		t.Run(name, func(t *testing.T) {
			clock := time.Duration(0)
			got, err := Run(Options{
				Address: address, Connections: 4, Request: Request{Paths: paths("128"), Answer: 128}, Secure: test.secure, Handshake: test.kind,
				Warmup: 20 * time.Millisecond, Duration: 300 * time.Millisecond,
				Clock: func() (time.Duration, error) { clock += time.Second; return clock, nil },
			})
			if err != nil || got.Requests == 0 || got.Errors != 0 || got.P50 <= 0 || got.CPU != time.Second {
				t.Errorf("%+v (%v)", got, err)
			}
		})
	}
}

// What the other side agrees to is looked at: figures of another TLS than the
// one that was meant are none.
func TestOtherTLS(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*tls.Config)
		secure Secure
		kind   Handshake
		want   string
	}{
		"version": {func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, *classic(), "", "protocol version"},
		"no hybrid": {
			func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519} },
			Secure{Offer: tls.X25519MLKEM768, Expect: tls.X25519MLKEM768}, "", "key exchange by X25519, want X25519MLKEM768",
		},
		"hybrid":     {nil, Secure{Offer: tls.X25519MLKEM768, Expect: tls.X25519}, "", "key exchange by X25519MLKEM768, want X25519"},
		"no tickets": {func(c *tls.Config) { c.SessionTicketsDisabled = true }, *classic(), Resumed, "resumed: false, want true"},
	} {
		t.Run(name, func(t *testing.T) {
			test.secure.Name = "shop.example"
			got, err := Run(Options{
				Address: startSecure(t, test.change), Connections: 1, Request: Request{Paths: paths("1"), Answer: 1},
				Secure: &test.secure, Handshake: test.kind, Duration: 100 * time.Millisecond,
			})
			text := got.FirstError
			if err != nil {
				text = err.Error()
			}
			if !strings.Contains(text, test.want) {
				t.Errorf("error %q, want one with %q", text, test.want)
			}
		})
	}
}

func TestHoldSecure(t *testing.T) {
	held, err := Hold(Options{Address: startSecure(t, nil), Connections: 20, Request: Request{Paths: paths("64"), Answer: 64}, Secure: classic()})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	if closed := held.Closed(); closed != 0 || len(held.conns) != 20 {
		t.Errorf("%d of %d connections are closed", closed, len(held.conns))
	}
}
