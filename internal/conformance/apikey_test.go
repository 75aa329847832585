//go:build linux

package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"rgate/internal/config"
	"rgate/internal/rig"
)

// guarded is a file whose /in wants a key, and the endpoint's address stands for
// the last %s.
const guarded = `
consumers:
  - {name: shop, keys: ["%s"], tags: [partner]}
  - {name: guest, keys: ["%s"]}
routes:
  - {path_prefix: /, backend: b}
  - {path_prefix: /in, backend: b, api_key: {consumers: [partner]}, policies: [{headers: {request: {set: {X-Who: "{consumer}"}}}}]}
  - {path_prefix: /in/query, backend: b, api_key: {query: key}}
  - {path_prefix: /in/cookie, backend: b, api_key: {cookie: key}}
  - {path_prefix: /in/kept, backend: b, api_key: {keep: true}}
  - {path_prefix: /in/away, redirect: {to: "https://{host}.example/"}, api_key: {query: key}}
  - {path_prefix: /in/here, redirect: {to: "/there"}, api_key: {query: key}}
backends: [{name: b, endpoints: ["%s"]}]
`

// tricks are requests, without their end, and what comes of them; the key is K.
var tricks = []struct {
	head   string
	status int
	got    []string // as in changes; of other answers than 200 their fields
}{
	{"GET /in HTTP/1.1\r\nHost: h\r\nX-Api-Key: K", 200, []string{"/in", "X-Consumer-Name: shop", "X-Consumer-Tags: partner", "X-Who: shop", "!X-Api-Key"}},
	{"GET /in HTTP/1.1\r\nHost: h\r\nx-api-key:   K  \r\nX-Consumer-Name: root\r\nX_Consumer_Tags: admin", 200, []string{"X-Consumer-Name: shop", "!X_consumer_tags", "!X-Api-Key"}},
	{"GET /in HTTP/1.1\r\nHost: h\r\nX-Api-Key: G", 403, nil},
	{"GET / HTTP/1.1\r\nHost: h\r\nX-Consumer-Name: root\r\nX-Api-Key: K", 200, []string{"!X-Consumer-Name", "X-Api-Key: K"}},
	{"GET /in HTTP/1.1\r\nHost: h", 401, nil},
	{"GET /in HTTP/1.1\r\nHost: h\r\nX-Api-Key: K\r\nX-Api-Key: K", 401, nil},
	{"GET /in HTTP/1.1\r\nHost: h\r\nX-Api-Key: K, G", 401, nil},
	{"GET /in HTTP/1.1\r\nHost: h\r\nX_Api_Key: K", 401, nil},
	{"GET /in HTTP/1.1\r\nHost: h\r\nX-Consumer-Name: shop", 401, nil},
	{"GET /in HTTP/1.1\r\nHost: h\r\nConnection: X-Api-Key\r\nX-Consumer-Name: shop", 401, nil},
	{"GET /./in HTTP/1.1\r\nHost: h", 401, nil},
	{"GET /%69n HTTP/1.1\r\nHost: h", 401, nil},
	{"GET /x/../in HTTP/1.1\r\nHost: h", 401, nil},
	{"GET http://h/in HTTP/1.1\r\nHost: h", 401, nil},
	{"OPTIONS /in HTTP/1.1\r\nHost: h", 401, nil},
	{"HEAD /in HTTP/1.1\r\nHost: h", 401, nil},
	{"GET / HTTP/1.1\r\nHost: h\r\nX-Original-URL: /in\r\nX-Http-Method-Override: GET", 200, []string{"/"}},
	{"GET /in/query?a=b&key=K HTTP/1.1\r\nHost: h", 200, []string{"/in/query?a=b", "X-Consumer-Name: shop"}},
	{"GET /in/query?key=K HTTP/1.1\r\nHost: h", 200, []string{"/in/query"}},
	{"GET /in/query?key=K&key=x HTTP/1.1\r\nHost: h", 401, nil},
	{"GET /in/query?%6bey=K HTTP/1.1\r\nHost: h", 401, nil},
	{"GET /in/query?key=K&%6bey=G HTTP/1.1\r\nHost: h", 401, nil},
	{"GET /in/kept HTTP/1.1\r\nHost: h\r\nX-Api-Key: K\r\nX_Api_Key: G", 200, []string{"X-Api-Key: K", "!X_api_key", "X-Consumer-Name: shop"}},
	{"GET /in/away?a=b&key=K HTTP/1.1\r\nHost: h", 308, []string{"Location: https://h.example/?a=b"}},
	{"GET /in/here?a=b&key=K HTTP/1.1\r\nHost: h", 308, []string{"Location: /there?a=b&key=K"}},
	{"GET /in/here?a=b&key=x HTTP/1.1\r\nHost: h", 401, []string{"!Location"}},
	{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Consumer-Name: root\r\nX_Consumer_Tags: admin\r\nX-Sum: 1", 200,
		[]string{"trailer X-Sum: 1", "!trailer X-Consumer-Name", "!trailer X_consumer_tags"}},
	{"GET /in/query HTTP/1.1\r\nHost: h\r\nX-Api-Key: K", 401, nil},
	{"GET /in/cookie HTTP/1.1\r\nHost: h\r\nCookie: a=b; key=K; c=d", 200, []string{"Cookie: a=b; c=d", "X-Consumer-Name: shop"}},
	{"GET /in/cookie HTTP/1.1\r\nHost: h\r\nCookie: key=K", 200, []string{"!Cookie"}},
	{"GET /in/cookie HTTP/1.1\r\nHost: h\r\nCookie: key=K\r\nCookie: a=b", 401, nil},
}

func TestNoKeyNoWay(t *testing.T) {
	hash := func(key string) string {
		sum := sha256.Sum256([]byte(key))
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	perEngine(t, func(t *testing.T, engine string) {
		cfg, err := config.Parse("config.yml", fmt.Appendf(nil, guarded, hash("K"), hash("G"), showing(t)), nil)
		if err != nil {
			t.Fatal(err)
		}
		g := rig.Start(t, engine, func(c *config.Config) {
			c.Routes, c.Backends, c.Consumers = cfg.Routes, cfg.Backends, cfg.Consumers
		})
		c := dialClient(t, g.Addr)
		for _, trick := range tricks {
			fmt.Fprint(c, trick.head+"\r\n\r\n")
			res, err := http.ReadResponse(c.in, &http.Request{Method: strings.Fields(trick.head)[0]})
			if err != nil {
				t.Fatalf("%q: %v", trick.head, err)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatalf("%q: %v", trick.head, err)
			}
			lines := strings.Split(string(body), "\n")
			if trick.status != 200 {
				lines = nil
				for name, values := range res.Header {
					lines = append(lines, name+": "+values[0])
				}
			}
			if res.StatusCode != trick.status || !holds(lines, trick.got) {
				t.Errorf("%q: %d %q", trick.head, res.StatusCode, lines)
			}
		}
	})
}
