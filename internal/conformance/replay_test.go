//go:build linux

package conformance

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// TestBodyIsSentAgain: 9110 9.2.2. Whether a request can be repeated does not
// depend on how its body was cut into segments.
func TestBodyIsSentAgain(t *testing.T) {
	for _, f := range []struct {
		name   string
		pieces []string // of the body
		method string
		want   int
	}{
		{"whole", []string{strings.Repeat("a", 1000)}, "PUT", 200},
		{"in two segments", []string{"a", strings.Repeat("b", 999)}, "PUT", 200},
		{"behind the head", []string{"", strings.Repeat("b", 12_000)}, "PUT", 200},
		{"too large to be kept", []string{"a", strings.Repeat("b", 20_000)}, "PUT", 502},
		{"not idempotent", []string{"a", "b"}, "POST", 502},
	} {
		for _, kind := range rig.Ways {
			t.Run(kind+" "+f.name, func(t *testing.T) {
				var seen atomic.Int64
				body := make(chan string, 2)
				endpoint := play(t, func(c net.Conn, req *http.Request) {
					b, _ := io.ReadAll(req.Body)
					if seen.Add(1) == 1 {
						return // it dies with all of the request
					}
					body <- string(b)
					_, _ = io.WriteString(c, okAnswer)
				})
				r := rig.Start(t, kind, nil, endpoint, endpoint)
				c, in := dial(t, r.Addr)
				whole := strings.Join(f.pieces, "")
				head := fmt.Sprintf("%s / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", f.method, len(whole))
				for i, piece := range f.pieces {
					if i == 1 {
						ends.Until(t, "the head has gone out", func() bool { return r.Gate.Table().Routes[0].Targets[0].Stats.InFlight() > 0 })
					}
					if _, err := io.WriteString(c, head+piece); err != nil {
						t.Fatal(err)
					}
					head = ""
				}
				res := answerOf(t, in)
				_, _ = io.Copy(io.Discard, res.Body)
				if res.StatusCode != f.want {
					t.Fatalf("got %d, want %d", res.StatusCode, f.want)
				}
				if f.want != 200 {
					return
				}
				if got := <-body; got != whole {
					t.Errorf("the endpoint got %d bytes the second time, of %d", len(got), len(whole))
				}
				_ = c.Close()
				ends.Until(t, "the exchange is recorded", func() bool { return r.Gate.Table().Total().Success() == 1 })
				if got := r.Gate.Table().Routes[0].Targets[0].Stats.Snapshot().BytesIn; got != uint64(len(whole)) {
					t.Errorf("bytes in: %d, want %d", got, len(whole))
				}
			})
		}
	}
}
