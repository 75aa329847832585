//go:build linux

package conformance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"rgate/internal/rig"
)

// An answer that breaks off takes nothing of the ones before it along, though
// its client has not read those yet and has sent more requests behind it.
func TestABrokenAnswerLeavesEarlierOnesWhole(t *testing.T) {
	for _, kind := range rig.Ways {
		for _, version := range []string{"1.0", "1.1"} {
			t.Run(kind+"/HTTP "+version, func(t *testing.T) {
				whole := strings.Repeat("w", 400_000)
				g := rig.Start(t, kind, nil, play(t, func(c net.Conn, req *http.Request) {
					if req.URL.Path == "/whole" {
						fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(whole), whole)
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
				}))
				c := dialClient(t, g.Addr)
				// A small window: what is answered stays on rgate's side until it is read.
				if err := c.TCP().SetReadBuffer(64 << 10); err != nil {
					t.Fatal(err)
				}
				fields := " HTTP/" + version + "\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"
				if _, err := io.WriteString(c, "GET /whole"+fields+"GET /broken"+fields+"GET /never"+fields); err != nil {
					t.Fatal(err)
				}
				res, err := http.ReadResponse(c.in, nil)
				if err != nil {
					t.Fatal(err)
				}
				if b, err := io.ReadAll(res.Body); err != nil || string(b) != whole {
					t.Fatalf("of the answer before %d bytes arrived, and %v", len(b), err)
				}
				if res, err = http.ReadResponse(c.in, nil); err == nil {
					_, err = io.ReadAll(res.Body)
				}
				if err == nil {
					t.Error("the broken answer looks whole")
				}
			})
		}
	}
}
