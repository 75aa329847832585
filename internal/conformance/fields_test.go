//go:build linux

package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/rig"
)

// heads is an endpoint that notes the head of each request as it is, and sends
// answer to it.
func heads(t *testing.T, answer string) (addr string, seen chan string) {
	t.Helper()
	seen = make(chan string, 8)
	return accept(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		var head strings.Builder
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if head.WriteString(line); line == "\r\n" {
				break
			}
		}
		seen <- head.String()
		_, _ = io.WriteString(c, answer)
	}), seen
}

// TestNamesKeepTheirCase: 9110 5.1 has them compared without it, and embedded
// clients do otherwise.
func TestNamesKeepTheirCase(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			endpoint, seen := heads(t, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nUPGRADE: websocket\r\nSec-WebSocket-accept: x\r\nx-ODD: 1\r\n\r\n")
			got := exchange(t, start(t, kind, endpoint), get+host+"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-KEY: k\r\nsec-websocket-version: 13\r\nX-oDD: 1\r\n\r\n")
			for _, want := range []string{"\r\nSec-WebSocket-accept: x\r\n", "\r\nx-ODD: 1\r\n", "\r\nConnection: Upgrade\r\n", "\r\nUpgrade: websocket\r\n"} {
				if !strings.Contains(got, want) {
					t.Errorf("the client got %q, without %q", got, want)
				}
			}
			head := <-seen
			for _, want := range []string{"\r\nSec-WebSocket-KEY: k\r\n", "\r\nsec-websocket-version: 13\r\n", "\r\nX-oDD: 1\r\n"} {
				if !strings.Contains(head, want) {
					t.Errorf("the endpoint got %q, without %q", head, want)
				}
			}
		})
	}
}

// TestTwinsOfClaims: WSGI and CGI read underscores as hyphens.
func TestTwinsOfClaims(t *testing.T) {
	for _, kind := range rig.Ways {
		for _, trusted := range []bool{false, true} {
			t.Run(fmt.Sprint(kind, " trusted ", trusted), func(t *testing.T) {
				endpoint, seen := heads(t, "HTTP/1.1 204 No Content\r\n\r\n")
				r := rig.Start(t, kind, func(c *config.Config) {
					if trusted {
						c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
					}
				}, endpoint)
				exchange(t, r.Addr, get+host+"X_Forwarded_For: 6.6.6.6\r\nX-Real_IP: 6.6.6.6\r\nX_Request_Id: 1\r\nContent_Length: 9\r\nTransfer_Encoding: chunked\r\nX_Forwarded_Proto: https\r\nmy_own: 1\r\n"+end)
				head := <-seen
				if bad := regexp.MustCompile(`(?i)(forwarded|real|request|length|encoding)_|(x|content|transfer)_`).FindString(head); bad != "" {
					t.Errorf("%q is in %q", bad, head)
				}
				if !strings.Contains(head, "my_own: 1\r\n") {
					t.Errorf("other names are dropped: %q", head)
				}
			})
		}
	}
}

// TestTrailersBothWays: 9110 6.5.1.
func TestTrailersBothWays(t *testing.T) {
	const trailer = "X-Sum: 1\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nTransfer-Encoding: chunked\r\nAuthorization: x\r\nX_Forwarded_For: 6.6.6.6\r\nHost: evil\r\nx-last: 2\r\n"
	const kept = "0\r\nX-Sum: 1\r\nx-last: 2\r\n\r\n"
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			seen := make(chan string, 1)
			endpoint := accept(t, func(c net.Conn) {
				var all strings.Builder
				in := bufio.NewReader(c)
				for !strings.HasSuffix(all.String(), "\r\n\r\n") || !strings.Contains(all.String(), "\r\n0\r\n") {
					b, err := in.ReadByte()
					if err != nil {
						break
					}
					all.WriteByte(b)
				}
				seen <- all.String()
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+chunked+"\r\n2\r\nhi\r\n0\r\n"+trailer+"\r\n")
			})
			got := exchange(t, start(t, kind, endpoint), post+chunked+end+"2\r\nhi\r\n0\r\n"+trailer+"\r\n")
			if !strings.HasSuffix(got, "2\r\nhi\r\n"+kept) {
				t.Errorf("the client got %q", got)
			}
			if raw := <-seen; !strings.HasSuffix(raw, "2\r\nhi\r\n"+kept) || strings.Contains(raw, "TE:") {
				t.Errorf("the endpoint got %q", raw)
			}
		})
	}
}

// TestHeadsOfAnswersAreBounded says which limit was hit.
func TestHeadsOfAnswersAreBounded(t *testing.T) {
	for name, f := range map[string]struct {
		answer string
		status string
	}{
		"bytes within": {"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 30<<10) + "\r\nContent-Length: 0\r\n\r\n", "200 "},
		"bytes":        {"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 33<<10) + "\r\nContent-Length: 0\r\n\r\n", "502 upstream_header_too_large"},
		"count within": {"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 19) + "Content-Length: 0\r\n\r\n", "200 "},
		"count":        {"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 20) + "Content-Length: 0\r\n\r\n", "502 upstream_header_too_large"},
		"never ends":   {"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 100_000), "502 upstream_header_too_large"},
	} {
		for _, kind := range rig.Ways {
			t.Run(kind+" "+name, func(t *testing.T) {
				endpoint, _ := heads(t, f.answer)
				r := rig.Start(t, kind, func(c *config.Config) {
					c.Limits.ResponseHeaderBytes, c.Limits.ResponseHeaderCount = 32<<10, 20
				}, endpoint)
				got := exchange(t, r.Addr, get+host+end)
				res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
				if err != nil {
					t.Fatal(err)
				}
				if s := fmt.Sprint(res.StatusCode, " ", res.Header.Get("X-Rgate-Reason")); s != f.status {
					t.Errorf("got %s, want %s", s, f.status)
				}
			})
		}
	}
}

// TestOfferToUpgradeKeepsTheConnection: 9110 7.8 lets a server ignore it. Java's
// client offers h2c by default.
func TestOfferToUpgradeKeepsTheConnection(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			r := record(t, "")
			c, in := dial(t, start(t, kind, r.addr))
			for range 3 {
				if _, err := io.WriteString(c, get+host+"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				res := answerOf(t, in)
				if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 200 || res.Close {
					t.Fatalf("%v, %v", res, err)
				}
			}
			for _, h := range r.headers {
				if h["Upgrade"] != nil || h["Http2-Settings"] != nil || h["Connection"] != nil {
					t.Errorf("the endpoint got %v", h)
				}
			}
		})
	}
}
