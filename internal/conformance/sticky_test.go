//go:build linux

package conformance

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/rig"
)

// TestStickyCookieOfASecureClient: what came by TLS to whom rgate trusts goes back
// that way alone.
func TestStickyCookieOfASecureClient(t *testing.T) {
	for _, kind := range rig.Ways {
		for _, trusted := range []bool{false, true} {
			t.Run(fmt.Sprint(kind, " trusted ", trusted), func(t *testing.T) {
				r := record(t, "")
				addr := rig.Start(t, kind, func(c *config.Config) {
					c.Backends[0].Traffic.Sticky = config.Sticky{Cookie: "at"}
					if trusted {
						c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
					}
				}, r.addr).Addr
				for proto, secure := range map[string]bool{"https": trusted || rig.Secure(kind), "http": !trusted && rig.Secure(kind)} {
					got := exchange(t, addr, get+host+"X-Forwarded-Proto: "+proto+"\r\n"+end)
					if !strings.Contains(got, "\r\nSet-Cookie: at=") || strings.Contains(got, "; SameSite=Lax; Secure\r\n") != secure {
						t.Errorf("%s: got %q", proto, got)
					}
				}
			})
		}
	}
}

// TestStickyCookie holds that both engines set the cookie, once, and leave the
// endpoint's own alone.
func TestStickyCookie(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			r := record(t, "HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\nContent-Length: 2\r\n\r\nok")
			addr := rig.Start(t, kind, func(c *config.Config) {
				c.Backends[0].Traffic.Sticky = config.Sticky{Cookie: "at", Secret: "0123456789abcdef0123456789abcdef"}
			}, r.addr).Addr
			first := exchange(t, addr, "GET / HTTP/1.1\r\n"+host+end)
			_, rest, set := strings.Cut(first, "Set-Cookie: at=")
			cookie, _, _ := strings.Cut(rest, ";")
			if !set || strings.Count(first, "Set-Cookie: ") != 2 || strings.Contains(cookie, "127.") {
				t.Errorf("got %q", first)
			}
			if again := exchange(t, addr, "GET / HTTP/1.1\r\n"+host+"Cookie: at="+cookie+"\r\n"+end); strings.Count(again, "Set-Cookie: ") != 1 {
				t.Errorf("got %q", again)
			}
			if again := exchange(t, addr, get+host+"Cookie: a=b\r\nCookie: c=d; at="+cookie+"\r\n"+end); strings.Count(again, "Set-Cookie: ") != 1 {
				t.Errorf("not found in the second field: got %q", again)
			}
		})
	}
}
