//go:build linux

package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"rgate/internal/trial"
)

// secureAttacks are those on TLS.
func secureAttacks() []attack {
	from := func(kind string, sources, n int) func(string, time.Duration) [][]string {
		return func(address string, last time.Duration) [][]string {
			return [][]string{crowd{kind: kind, address: address, last: last, first: 2, sources: sources, n: n}.argv()}
		}
	}
	half := holding("slow-hellos", "12,500 halves of a ClientHello from 5 addresses", slowPerCrowd, 0, "slow-hellos")
	half.secure = true
	return []attack{
		{name: "hellos", title: "ClientHellos without end, and no more of a handshake", bound: 256, secure: true, argv: from("hellos", 8, 512)},
		half,
		{name: "handshakes", title: "handshakes without end, and no request", bound: 256, secure: true, argv: from("handshakes", 8, 64)},
		{name: "renegotiation", title: "renegotiations without end (TLS 1.2)", bound: 256, secure: true, argv: from("renegotiation", 8, 64)},
		{name: "records", title: "100 clients that send a byte in each record", bound: 256, secure: true, argv: from("records", 8, 100)},
	}
}

// secureHost is whom the certificate is for, and the well-behaved ask for.
const secureHost = "soak.test"

// secureListener is what rgate's configuration says of HTTPS.
func (g *gateway) secureListener(dir string) (string, error) {
	cert, key, err := trial.Issue(dir, "site", secureHost)
	if err != nil {
		return "", err
	}
	port, err := trial.FreePort()
	if err != nil {
		return "", err
	}
	g.secure = fmt.Sprintf("127.0.0.1:%d", port)
	if g.trust, err = trusting(cert); err != nil {
		return "", err
	}
	return fmt.Sprintf("listeners: [{address: %q, tls: {certificates: [{cert: %q, key: %q}]}}]\n", g.secure, cert, key), nil
}

// trusting is a client that takes a certificate for secureHost's.
func trusting(cert string) (*tls.Config, error) {
	text, err := os.ReadFile(cert)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificate: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("cannot use the certificate")
	}
	return &tls.Config{ServerName: secureHost, RootCAs: roots}, nil
}
