//go:build linux

package conformance

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	front "rgate/internal/listen"
	"rgate/internal/proxyproto"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
	"rgate/internal/trial"
)

// behind is a listener of a gateway that stands behind proxies of loopback, or of
// from, and an endpoint that says whom a request comes from.
func behind(t *testing.T, engine string, change func(*config.Config), as config.Listener, from ...string) *front.Listener {
	t.Helper()
	endpoint := ends.HTTP(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s %s", r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"))
	})
	if from == nil {
		from = []string{"127.0.0.0/8"}
	}
	as.ProxyProtocol = &config.ProxyProtocol{}
	for _, n := range from {
		as.ProxyProtocol.From = append(as.ProxyProtocol.From, netip.MustParsePrefix(n))
	}
	return rig.Start(t, engine, change, endpoint).ListenAs(t, as)
}

// said is the header of a version for a client.
func said(version int, client string) string {
	h := proxyproto.Header{Source: netip.MustParseAddrPort(client), Destination: netip.MustParseAddrPort("10.0.0.1:443")}
	return string(proxyproto.Append(nil, version, h))
}

const plainGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

// The address in a header is the peer's, however the header's bytes come.
func TestAProxySaysWhoseAConnectionIs(t *testing.T) {
	perEngine(t, func(t *testing.T, engine string) {
		l := behind(t, engine, nil, config.Listener{})
		long := []byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x00\xc0\x00\x02\x07\x0a\x00\x00\x01\xc8\x22\x01\xbb\x04\x0f\x00" + strings.Repeat("x", 0xf00))
		binary.BigEndian.PutUint16(long[14:], uint16(len(long)-16))
		for name, c := range map[string]struct{ header, from string }{
			"1":             {said(1, "192.0.2.7:1"), "192.0.2.7"},
			"2":             {said(2, "192.0.2.7:1"), "192.0.2.7"},
			"1, IPv6":       {said(1, "[2001:db8::7]:1"), "2001:db8::7"},
			"2, IPv6":       {said(2, "[2001:db8::7]:1"), "2001:db8::7"},
			"2, long":       {string(long), "192.0.2.7"},
			"1, of nobody":  {"PROXY UNKNOWN\r\n", "127.0.0.1"},
			"2, its own":    {string(proxyproto.Append(nil, 2, proxyproto.Header{})), "127.0.0.1"},
			"1, of another": {"PROXY TCP6 ::ffff:192.0.2.9 ::1 1 2\r\n", "192.0.2.9"},
		} {
			for _, step := range []int{len(c.header) + 2*len(plainGet), len(c.header), 1, 7} {
				t.Run(fmt.Sprintf("%s, by %d", name, step), func(t *testing.T) {
					client := dialClient(t, l.Addr().String())
					for all := c.header + plainGet + plainGet; all != ""; {
						n := min(step, len(all))
						if _, err := io.WriteString(client, all[:n]); err != nil {
							t.Fatal(err)
						}
						all = all[n:]
						if step < 10 && len(all) > 2*len(plainGet) && len(all) < 2*len(plainGet)+60 {
							time.Sleep(time.Millisecond) // to be read in pieces, though nothing tells of it
						}
					}
					for range 2 {
						if res, body := client.got(); res.StatusCode != 200 || body != c.from+" http" {
							t.Errorf("%d, %q", res.StatusCode, body)
						}
					}
				})
			}
		}
	})
}

// Who has to begin with a header and does not is closed without a word; so is who
// takes too long for it, or ends in the middle.
func TestWithoutAHeaderAProxyIsClosed(t *testing.T) {
	perEngine(t, func(t *testing.T, engine string) {
		l := behind(t, engine, func(c *config.Config) { c.Timeouts.ClientHeader = 300 * time.Millisecond }, config.Listener{})
		patient := behind(t, engine, func(c *config.Config) { c.Timeouts.ClientHeader = time.Hour }, config.Listener{})
		for _, raw := range []string{
			plainGet, "PROXY TCP4 192.0.2.7 10.0.0.1 1 99999\r\n" + plainGet, "PROXY UNKNOWN\n" + plainGet,
			"\r\n\r\n\x00\r\nQUIT\n\x22\x11\x00\x0c", "PROXY TCP4 192.0.2.7 10.0.0.1", "PROXY TCP4 " + strings.Repeat("1", 200), "",
			"\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff",
		} {
			if got := exchange(t, l.Addr().String(), raw); got != "" {
				t.Errorf("%q is answered with %q", raw, got)
			}
			c, in := dial(t, patient.Addr().String())
			_, _ = io.WriteString(c, raw)
			_ = c.CloseWrite()
			b, err := io.ReadAll(in)
			if e, ok := err.(net.Error); len(b) > 0 || ok && e.Timeout() {
				t.Errorf("%q and an end is answered with %q, %v", raw, b, err)
			}
		}
		c := dialClient(t, l.Addr().String()) // it serves on
		_, _ = io.WriteString(c, said(1, "192.0.2.7:1")+plainGet)
		c.want(200)
	})
}

// Nobody else is believed: who is no proxy speaks for itself, and a header is no
// request.
func TestStrangersSayNothingWithAHeader(t *testing.T) {
	perEngine(t, func(t *testing.T, engine string) {
		l := behind(t, engine, nil, config.Listener{}, "192.0.2.0/24", "2001:db8::/32")
		for version := 1; version <= 2; version++ {
			if got := statuses(exchange(t, l.Addr().String(), said(version, "192.0.2.7:1")+plainGet), "GET"); len(got) != 1 || got[0] != 400 {
				t.Errorf("version %d: %v", version, got)
			}
		}
		c := dialClient(t, l.Addr().String())
		c.ask("/")
		if _, body := c.got(); body != "127.0.0.1 http" {
			t.Errorf("the endpoint sees %q", body)
		}
	})
}

// Policies and limits go by the address in the header, and a proxy has none of its
// own.
func TestLimitsGoByTheHeader(t *testing.T) {
	perEngine(t, func(t *testing.T, engine string) {
		l := behind(t, engine, func(c *config.Config) {
			c.Limits.ConnectionsPerClient = 2
			c.Routes[0].Policies = []*config.Policy{{IP: &config.IP{Deny: []netip.Prefix{netip.MustParsePrefix("192.0.2.66/32")}}}}
		}, config.Listener{})
		from := func(client string) *client {
			c := dialClient(t, l.Addr().String())
			_, _ = io.WriteString(c, said(2, client)+plainGet)
			return c
		}
		from("192.0.2.66:1").want(403)
		first := from("192.0.2.7:1")
		first.want(200)
		from("192.0.2.7:2").want(200)
		from("192.0.2.7:3").want(503)
		for i := range 5 {
			from(fmt.Sprintf("192.0.2.%d:1", 100+i)).want(200)
		}
		_ = first.Close()
		ends.Until(t, "there is room again", func() bool {
			res, _ := from("192.0.2.7:4").got()
			return res.StatusCode == 200
		})
	})
}

// A header comes before TLS.
func TestAHeaderBeforeTLS(t *testing.T) {
	perEngine(t, func(t *testing.T, engine string) {
		cert, key := trial.Certificate(t, t.TempDir(), "h", "h")
		as := config.Listener{TLS: &config.ListenerTLS{MinVersion: config.TLS12, Certificates: []config.Certificate{{Cert: cert, Key: key}}}}
		l := behind(t, engine, func(c *config.Config) { c.Limits.ConnectionsPerClient = 1 }, as)
		for version := 1; version <= 2; version++ {
			c, _ := dial(t, l.Addr().String())
			_, _ = io.WriteString(c, said(version, fmt.Sprintf("192.0.2.%d:1", version)))
			secure := tls.Client(c, &tls.Config{ServerName: "h", InsecureSkipVerify: true})
			_, _ = io.WriteString(secure, plainGet)
			res, err := http.ReadResponse(bufio.NewReader(secure), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			if want := fmt.Sprintf("192.0.2.%d https", version); string(body) != want {
				t.Errorf("the endpoint sees %q", body)
			}
			second, in := dial(t, l.Addr().String()) // it has one already
			_, _ = io.WriteString(second, said(version, fmt.Sprintf("192.0.2.%d:2", version)))
			if b, _ := io.ReadAll(in); len(b) > 0 && b[0] != 21 {
				t.Errorf("above the limits it is told %q", b)
			}
		}
		if got := exchange(t, l.Addr().String(), "\x16\x03\x01\x00\x05hello"); got != "" {
			t.Errorf("without a header: %q", got)
		}
	})
}

// Whose header is still to come is quiet: a listener that goes does not wait for it.
func TestAListenerGoesWithoutHeaders(t *testing.T) {
	perEngine(t, func(t *testing.T, engine string) {
		endpoint := record(t, "")
		g := rig.Start(t, engine, nil, endpoint.addr)
		l := g.ListenAs(t, config.Listener{ProxyProtocol: &config.ProxyProtocol{From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
		c := dialClient(t, l.Addr().String())
		_, _ = io.WriteString(c, said(1, "192.0.2.1:1")+plainGet)
		c.want(200)
		half := dialClient(t, l.Addr().String())
		_, _ = io.WriteString(half, "PROXY TCP4")
		began := time.Now()
		g.Drain(l, 50*time.Millisecond)
		half.gone()
		<-l.Gone()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
