package trial

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certificate is Issue for a test.
func Certificate(t testing.TB, dir, name string, hosts ...string) (cert, key string) {
	t.Helper()
	cert, key, err := Issue(dir, name, hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// Issue writes files of a certificate for hosts (names or addresses) that
// vouches for itself, and of its key, which is one of P-256, in place of those
// that are there. It returns their paths.
func Issue(dir, name string, hosts ...string) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", fmt.Errorf("cannot make a key: %w", err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return "", "", fmt.Errorf("cannot make a certificate: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", fmt.Errorf("cannot make a key: %w", err)
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	err = put(cert, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err == nil {
		err = put(key, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	}
	if err != nil {
		return "", "", fmt.Errorf("cannot write a certificate: %w", err)
	}
	return cert, key, nil
}

func put(path string, block *pem.Block) error {
	err := os.WriteFile(path+".new", pem.EncodeToMemory(block), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	return err
}
