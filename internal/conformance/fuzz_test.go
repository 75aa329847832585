//go:build linux

package conformance

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig/ends"
)

// FuzzStream feeds arbitrary bytes to a live loop. It must not hang; and a
// recording endpoint gets only requests that net/http reads out of the same
// bytes, in their order, none twice. Any other has been smuggled in.
func FuzzStream(f *testing.F) {
	for _, c := range requestCases {
		f.Add([]byte(c.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		said := readings(raw)
		var r *recorder
		// Cleanups run from the last to the first: this one when the loop and
		// the endpoint have ended, and nothing more can come.
		t.Cleanup(func() { contained(t, r, said) })
		r = record(t, "")
		converse(t, start(t, config.EngineLoop, r.addr), raw, said)
	})
}

// converse sends raw and takes an answer to each request before it ends its
// side: the loop gives up a request whose client has finished.
func converse(t *testing.T, addr string, raw []byte, said []reading) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer forget(c)
	_ = c.SetDeadline(time.Now().Add(ends.Patience))
	_, _ = c.Write(raw)
	in := bufio.NewReader(c)
	for _, req := range said {
		if !req.whole {
			break
		}
		if err := skipAnswer(in, req.method); err != nil {
			hangs(t, err)
			return // refused, and closed
		}
	}
	_ = c.(*net.TCPConn).CloseWrite()
	answers := 0
	for ; ; answers++ {
		if err := skipAnswer(in, http.MethodGet); err != nil {
			hangs(t, err)
			break
		}
	}
	if answers > 1 {
		t.Errorf("%d answers to what is no request", answers)
	}
}

// skipAnswer reads the final answer to a request.
func skipAnswer(in *bufio.Reader, method string) error {
	for {
		res, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode >= 200 {
			return err
		}
	}
}

func hangs(t *testing.T, err error) {
	var e net.Error
	if errors.As(err, &e) && e.Timeout() {
		t.Error("the connection hangs")
	}
}
