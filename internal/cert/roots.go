package cert

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// Roots reads the authorities of a PEM file. It is nil where there is a problem.
func Roots(path string) (*x509.CertPool, *Problem) {
	text, _, err := read(path)
	if err != nil {
		return nil, unreadable("authorities", path, err)
	}
	pool, n := x509.NewCertPool(), 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, &Problem{File: path, Text: fmt.Sprintf("%s: certificate %d cannot be read: %v", path, n+1, err)}
		}
		pool.AddCert(c)
		n++
	}
	if n == 0 {
		return nil, &Problem{File: path, Text: path + " holds no certificate in PEM", Hint: "it begins with -----BEGIN CERTIFICATE-----"}
	}
	return pool, nil
}
