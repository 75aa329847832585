//go:build linux

package conformance

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"rgate/internal/rig"
)

// TestConnectionThatIsAClientsOwn: some servers take NTLM and Negotiate for the
// connection (RFC 4559 6), so nobody may come on it after one who sent them.
func TestConnectionThatIsAClientsOwn(t *testing.T) {
	for _, kind := range rig.Ways {
		t.Run(kind, func(t *testing.T) {
			var reused atomic.Int64
			addr := start(t, kind, accept(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				for before := ""; ; {
					req, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if scheme := strings.ToLower(strings.Fields(before + " -")[0]); scheme == "ntlm" || scheme == "negotiate" {
						t.Errorf("a request came on the connection of %q", before)
					} else if scheme != "-" {
						reused.Add(1)
					}
					before = req.Header.Get("Authorization")
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
			}))
			for range 10 {
				for _, credentials := range []string{"Basic TlRMTQ==", "NTLM TlRMTVNTUAADAAAA", "NTLMish x", "negotiate YII="} {
					if got := exchange(t, addr, get+host+"Authorization: "+credentials+"\r\n"+end); !strings.HasSuffix(got, "ok") {
						t.Errorf("got %q", got)
					}
				}
			}
			if reused.Load() == 0 {
				t.Error("no connection was used again, whatever it carried")
			}
		})
	}
}
