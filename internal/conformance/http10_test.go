//go:build linux

package conformance

import (
	"strings"
	"testing"

	"rgate/internal/rig"
)

// TestRequestWithoutAHost: HTTP/1.0 may do without, and then nothing is made up.
// The empty Host is what HTTP/1.1 wants for it (9112 3.2).
func TestRequestWithoutAHost(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			endpoint, seen := heads(t, "HTTP/1.1 204 No Content\r\n\r\n")
			exchange(t, start(t, kind, endpoint), "GET / HTTP/1.0\r\n\r\n")
			head := <-seen
			if strings.Contains(head, "X-Forwarded-Host") || strings.Contains(head, "host=") {
				t.Errorf("a host is made up: %q", head)
			}
			for _, want := range []string{"\r\nHost: \r\n", "\r\nForwarded: for=127.0.0.1;proto=" + protoOf(kind) + "\r\n"} {
				if !strings.Contains(head, want) {
					t.Errorf("the endpoint got %q, without %q", head, want)
				}
			}
		})
	}
}

// TestTrailersAreAnnouncedWhereTheyFollow: an answer to HTTP/1.0 has no chunks,
// and neither has one of a known length.
func TestTrailersAreAnnouncedWhereTheyFollow(t *testing.T) {
	for name, f := range map[string]struct {
		version, answer string
		want            bool
	}{
		"chunks":             {"HTTP/1.1", chunked + "Trailer: X-T\r\n\r\n2\r\nhi\r\n0\r\nX-T: v\r\n\r\n", true},
		"chunks to HTTP/1.0": {"HTTP/1.0", chunked + "Trailer: X-T\r\n\r\n2\r\nhi\r\n0\r\nX-T: v\r\n\r\n", false},
		"length":             {"HTTP/1.1", "Content-Length: 2\r\nTrailer: X-T\r\n\r\nhi", false},
	} {
		for _, kind := range rig.Ways {
			t.Run(kind+" "+name, func(t *testing.T) {
				endpoint, _ := heads(t, "HTTP/1.1 200 OK\r\n"+f.answer)
				got := exchange(t, start(t, kind, endpoint), "GET / "+f.version+"\r\n"+host+end)
				if strings.Contains(got, "\r\nTrailer: X-T\r\n") != f.want || strings.Contains(got, "\r\nX-T: v\r\n") != f.want || !strings.Contains(got, "hi") {
					t.Errorf("the client got %q", got)
				}
			})
		}
	}
}
