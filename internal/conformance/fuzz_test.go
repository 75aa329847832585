//go:build linux

package conformance

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"rgate/internal/config"
)

// FuzzStream feeds arbitrary bytes to a live loop: it must neither hang nor
// make more requests of them than their own framing holds. A recording endpoint
// that gets a request which the client's bytes do not name has been smuggled
// one.
func FuzzStream(f *testing.F) {
	for _, c := range requestCases {
		f.Add([]byte(c.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := record(t, "")
		addr := start(t, config.EngineLoop, r.addr)
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = c.Write(raw)
		_ = c.(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, c); err != nil {
			if e, ok := err.(net.Error); ok && e.Timeout() {
				t.Fatal("the connection hangs")
			}
		}
		heads := bytes.Count(raw, []byte("HTTP/1."))
		if n := len(r.complete()); n > heads {
			t.Fatalf("the endpoint got %d requests out of %d heads", n, heads)
		}
	})
}
