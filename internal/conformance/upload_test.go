//go:build linux

package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rgate/internal/config"
	"rgate/internal/rig"
	"rgate/internal/rig/ends"
)

// refusals are the ways in which a large upload is answered before its end.
var refusals = map[string]struct {
	path   string
	status int
}{
	"no route":      {"/none", 404},
	"dead endpoint": {"/dead", 503},
	"early answer":  {"/early", 413},
}

// TestARefusedUploadGetsItsAnswer: most clients read the answer once they have
// sent everything, so that must be taken from them.
func TestARefusedUploadGetsItsAnswer(t *testing.T) {
	for _, engine := range rig.Ways {
		early := accept(t, func(c net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(c))
			_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, io.LimitReader(c, 1<<20))
		})
		g := rig.Start(t, engine, func(c *config.Config) {
			b := c.Backends[0]
			c.Backends = append(c.Backends, b)
			c.Backends[1].Name, c.Backends[1].Endpoints = "dead", []string{ends.Nobody}
			c.Routes = []config.Route{
				{PathPrefix: "/early", Backend: "b", Match: config.MatchLiteral},
				{PathPrefix: "/dead", Backend: "dead", Match: config.MatchLiteral},
			}
		}, early)
		for name, r := range refusals {
			t.Run(engine+"/"+name+"/net/http", func(t *testing.T) {
				t.Parallel()
				goUpload(t, "http://"+g.Addr+r.path, r.status)
			})
			t.Run(engine+"/"+name+"/plain", func(t *testing.T) {
				t.Parallel()
				plainUpload(t, g.Addr, r.path, r.status)
			})
		}
	}
}

const uploadSize = 20 << 20

// goUpload uploads with Go's client.
func goUpload(t *testing.T, url string, status int) {
	t.Helper()
	tr := &http.Transport{DisableKeepAlives: true, DialContext: dialWay}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr, Timeout: time.Minute}
	res, err := c.Post(url, "text/plain", io.LimitReader(zeros{}, uploadSize))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != status {
		t.Errorf("status %d, want %d", res.StatusCode, status)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// plainUpload sends all and then reads, slowly enough that the answer waits.
func plainUpload(t *testing.T, addr, path string, status int) {
	t.Helper()
	c, err := rig.Dial(&net.Dialer{}, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", path, uploadSize)
	part := bytes.Repeat([]byte{'x'}, uploadSize/20)
	for i := 0; i < 20 && err == nil; i++ {
		time.Sleep(100 * time.Millisecond) // two seconds in all, as over a network
		_, err = c.Write(part)
	}
	if err != nil {
		t.Fatal("sending:", err)
	}
	got, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(got), fmt.Sprintf("HTTP/1.1 %d ", status)) {
		t.Errorf("got %q, %v", got, err)
	}
}
