//go:build linux

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rgate/internal/trial"
)

// shopCertificates is how many certificates a shop has, one after the other.
const shopCertificates = 100

// shopHost is whom they are for.
const shopHost = "soak.test"

// shop is a listener with HTTPS, whose certificate may change.
type shop struct {
	s       *stage
	dir     string
	address string
	trust   *tls.Config
}

// openShop makes all certificates, so that a client can trust any of them.
func openShop(s *stage) *shop {
	h := &shop{s: s, dir: s.TempDir()}
	roots := x509.NewCertPool()
	for i := range shopCertificates + 1 {
		cert, _, err := trial.Issue(h.dir, fmt.Sprint(i), shopHost)
		if err != nil {
			s.Fatal(err)
		}
		roots.AppendCertsFromPEM(h.read(cert))
	}
	port, err := trial.FreePort()
	if err != nil {
		s.Fatal(err)
	}
	h.address, h.trust = fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{ServerName: shopHost, RootCAs: roots}
	return h
}

func (h *shop) read(file string) []byte {
	text, err := os.ReadFile(file)
	if err != nil {
		h.s.Fatal(err)
	}
	return text
}

func (h *shop) file(i int, kind string) string {
	return filepath.Join(h.dir, fmt.Sprintf("%d.%s", i, kind))
}

// config is that of the listener, with the first certificate.
func (h *shop) config() string {
	return fmt.Sprintf("listeners: [{address: %q, tls: {certificates: [{cert: %s, key: %s}]}}]\n", h.address, h.file(0, "pem"), h.file(0, "key"))
}

// serves tells whether a new connection gets the ith certificate.
func (h *shop) serves(i int) bool {
	conn, err := tls.Dial("tcp", h.address, h.trust)
	if err != nil {
		return false
	}
	defer conn.Close()
	block, _ := pem.Decode(h.read(h.file(i, "pem")))
	return bytes.Equal(conn.ConnectionState().PeerCertificates[0].Raw, block.Bytes)
}

// certificates has rgate serve all of them one after the other. Most are named
// anew in the file; some come in place of the files of the one before, as a
// tool that renews them does.
func certificates(p *play) {
	const inPlace = 25 // one in so many; rgate looks at files every few seconds
	named := 0
	for i := 1; i <= shopCertificates; i++ {
		if i%inPlace == 0 {
			for _, kind := range []string{"key", "pem"} {
				text := p.shop.read(p.shop.file(i, kind))
				to := p.shop.file(named, kind)
				err := os.WriteFile(to+".new", text, 0o600)
				if err == nil {
					err = os.Rename(to+".new", to)
				}
				if err != nil {
					p.Fatal(err)
				}
			}
		} else {
			named = i
			now := strings.NewReplacer(p.shop.file(0, "pem"), p.shop.file(i, "pem"), p.shop.file(0, "key"), p.shop.file(i, "key"))
			p.rgate.write(now.Replace(p.rgate.config))
			var answer struct{ Status string }
			if err := p.rgate.ask(http.MethodPost, "/reload", &answer); err != nil {
				p.Fatalf("cannot reload: %v", err)
			}
		}
		p.until(fmt.Sprintf("certificate %d is served", i), func() bool { return p.shop.serves(i) })
		p.pause(40 * time.Millisecond)
	}
}
