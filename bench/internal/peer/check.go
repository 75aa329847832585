//go:build linux

package peer

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// forwarded are the fields that the origin has to see from every peer.
var forwarded = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id"}

// Check asks the peer once for each route, and tells whether it does for a
// request what the others do. Without it a peer could be fast by doing less.
func (r *Process) Check() error {
	if err := r.check("http", &http.Transport{}); err != nil || r.tcp {
		return err
	}
	text, err := os.ReadFile(r.Site.Cert)
	if err != nil {
		return fmt.Errorf("cannot read the certificate: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	to := r.Site.Secure.String()
	return r.check("https", &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", to)
		},
	})
}

func (r *Process) check(scheme string, over *http.Transport) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: over}
	defer client.CloseIdleConnections()
	host := r.Site.Listen.String()
	if scheme == "https" {
		host = Host
	}
	for _, prefix := range Prefixes {
		path := strings.TrimSuffix(prefix, "/") + "/head"
		resp, err := client.Get(scheme + "://" + host + path)
		if err != nil {
			return fmt.Errorf("%s does not answer on %s: %w", r.Name, path, err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %d on %s: %q (%v)", r.Name, resp.StatusCode, path, text, err)
		}
		if r.tcp {
			continue
		}
		if err := r.forwards(string(text), scheme); err != nil {
			return err
		}
	}
	return nil
}

// forwards looks at the request that the origin has got.
func (r *Process) forwards(text, scheme string) error {
	seen, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		return fmt.Errorf("%s sent on what is no request: %w", r.Name, err)
	}
	for _, name := range forwarded {
		if seen.Header.Get(name) == "" {
			return fmt.Errorf("%s does not send %s", r.Name, name)
		}
	}
	if proto := seen.Header.Get("X-Forwarded-Proto"); proto != scheme {
		return fmt.Errorf("%s says that %s is %s", r.Name, scheme, proto)
	}
	return nil
}
