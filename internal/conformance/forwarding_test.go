//go:build linux

package conformance

import (
	"net/netip"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/rig"
)

// TestForwardingFields holds what becomes of what a client says about itself
// and others: it goes on only from a trusted proxy.
func TestForwardingFields(t *testing.T) {
	const said = "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 5.5.5.5\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: https\r\n" +
		"X-Forwarded-Port: 8443\r\nX-Forwarded-Prefix: /p\r\nX-Real-Ip: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n" + end
	for name, want := range map[string]map[string]string{
		"stranger": {
			"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "x", "X-Forwarded-Proto": "http",
			"X-Forwarded-Port": "", "X-Forwarded-Prefix": "", "X-Real-Ip": "",
			"Forwarded": `for=127.0.0.1;host="x";proto=http`,
		},
		"trusted": {
			"X-Forwarded-For": "5.5.5.5, 6.6.6.6, 127.0.0.1", "X-Forwarded-Host": "h", "X-Forwarded-Proto": "https",
			"X-Forwarded-Port": "8443", "X-Forwarded-Prefix": "/p", "X-Real-Ip": "6.6.6.6",
			"Forwarded": `for=6.6.6.6, for=127.0.0.1;host="x";proto=http`,
		},
	} {
		for _, kind := range rig.Ways {
			t.Run(kind+" "+name, func(t *testing.T) {
				r := record(t, "")
				exchange(t, rig.Start(t, kind, func(c *config.Config) {
					if name == "trusted" {
						c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
					}
				}, r.addr).Addr, said)
				if len(r.headers) != 1 {
					t.Fatalf("the endpoint got %d requests", len(r.headers))
				}
				for field, value := range want {
					if name == "stranger" || field == "Forwarded" { // the last hop's own scheme
						value = strings.ReplaceAll(value, "http", protoOf(kind))
					}
					if got := r.headers[0].Values(field); value == "" && got != nil || value != "" && (len(got) != 1 || got[0] != value) {
						t.Errorf("%s: got %q, want %q", field, got, value)
					}
				}
			})
		}
	}
}

// TestForwardedThatATrustedProxyPassedOn: most proxies write X-Forwarded-For and
// know nothing of Forwarded.
func TestForwardedThatATrustedProxyPassedOn(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			r := record(t, "")
			trusting := rig.Start(t, kind, func(c *config.Config) {
				c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			}, r.addr).Addr
			exchange(t, trusting, get+host+"X-Forwarded-For: 6.6.6.6\r\nForwarded: for=7.7.7.7;proto=https\r\n"+end)
			exchange(t, trusting, get+host+"Forwarded: for=7.7.7.7;proto=https\r\n"+end)
			if len(r.headers) != 2 {
				t.Fatalf("the endpoint got %d requests", len(r.headers))
			}
			for i, want := range [][2]string{
				{"6.6.6.6, 127.0.0.1", `for=6.6.6.6, for=127.0.0.1;host="x";proto=http`},
				{"7.7.7.7, 127.0.0.1", `for=7.7.7.7;proto=https, for=127.0.0.1;host="x";proto=http`},
			} {
				want[1] = strings.ReplaceAll(want[1], `;host="x";proto=http`, `;host="x";proto=`+protoOf(kind))
				if got := [2]string{r.headers[i].Get("X-Forwarded-For"), r.headers[i].Get("Forwarded")}; got != want {
					t.Errorf("the endpoint got %q, want %q", got, want)
				}
			}
		})
	}
}
