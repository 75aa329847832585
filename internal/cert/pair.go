package cert

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Pair names the files of one certificate.
type Pair struct {
	Cert    string // path of a PEM file: the certificate, then the chain below its root
	Key     string // path of a PEM file: the private key
	Default bool   // serves, too, where no certificate has the name that is asked for
}

// Problem is one thing wrong with a pair.
type Problem struct {
	File    string // which of its files
	Text    string // what is wrong, with the file's name
	Hint    string // what would be right; "" where nothing can be said
	Warning bool   // the certificate can be served all the same
}

// Error is the problem on one line.
func (p *Problem) Error() string {
	if p.Hint == "" {
		return p.Text
	}
	return p.Text + " (" + p.Hint + ")"
}

// maxFile bounds what is read of a file: a chain is a few kilobytes.
const maxFile = 1 << 20

// Load reads a pair. It is nil where a problem is no warning.
func Load(p Pair, now time.Time) (*tls.Certificate, []*Problem) {
	var problems []*Problem
	chain, _, err := read(p.Cert)
	if err != nil {
		problems = append(problems, unreadable("certificate", p.Cert, err))
	}
	key, mode, err := read(p.Key)
	if err != nil {
		problems = append(problems, unreadable("key", p.Key, err))
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if mode&0o007 != 0 {
		problems = append(problems, &Problem{File: p.Key, Warning: true,
			Text: fmt.Sprintf("the key %s may be read or written by everybody (mode %04o)", p.Key, mode), Hint: "chmod 600 " + p.Key})
	}
	c, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, append(problems, misfit(p, chain, key, err))
	}
	for _, found := range judge(p, c.Leaf, now) {
		problems = append(problems, found)
		if !found.Warning {
			return nil, problems
		}
	}
	return &c, problems
}

func unreadable(what, path string, err error) *Problem {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err // its path is told already
	}
	return &Problem{File: path, Text: fmt.Sprintf("cannot read the %s %s: %v", what, path, err)}
}

// read is a file's text and permissions.
func read(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() { // a FIFO would hang
		return nil, 0, errors.New("it is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	return text, info.Mode().Perm(), err
}

// misfit says why no certificate can be made of two texts. Nothing of the key is
// in what it says.
func misfit(p Pair, chain, key []byte, err error) *Problem {
	switch {
	case !has(chain, "CERTIFICATE") && has(chain, "PRIVATE KEY"):
		return &Problem{File: p.Cert, Text: p.Cert + " holds a private key and no certificate", Hint: "cert and key may be the wrong way round"}
	case !has(chain, "CERTIFICATE"):
		return &Problem{File: p.Cert, Text: p.Cert + " holds no certificate in PEM", Hint: "it begins with -----BEGIN CERTIFICATE-----"}
	case has(key, "ENCRYPTED PRIVATE KEY") || encrypted(key):
		return &Problem{File: p.Key, Text: "the key " + p.Key + " is encrypted", Hint: "openssl pkey -in " + p.Key + " -out a key without a password, mode 600"}
	case !has(key, "PRIVATE KEY"):
		return &Problem{File: p.Key, Text: p.Key + " holds no private key in PEM", Hint: "it begins with -----BEGIN PRIVATE KEY-----"}
	case leafFits(chain, key):
		return &Problem{File: p.Cert, Text: fmt.Sprintf("%s: the first certificate is not the one of the key %s, a later one is", p.Cert, p.Key), Hint: "the server's own certificate comes first, then those that vouch for it"}
	}
	return &Problem{File: p.Cert, Text: fmt.Sprintf("the certificate %s does not fit the key %s: %v", p.Cert, p.Key, err)}
}

// has tells whether a PEM text has a block of that type, or one that ends so, as
// EC PRIVATE KEY does.
func has(text []byte, kind string) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if n := len(block.Type) - len(kind); n >= 0 && block.Type[n:] == kind {
			return true
		}
	}
	return false
}

// encrypted tells of the old way to encrypt a key in PEM (RFC 1421).
func encrypted(text []byte) bool {
	block, _ := pem.Decode(text)
	return block != nil && block.Headers["DEK-Info"] != ""
}

// leafFits tells whether a later certificate of the chain is the key's.
func leafFits(chain, key []byte) bool {
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		if _, err := tls.X509KeyPair(pem.EncodeToMemory(block), key); err == nil {
			return true
		}
	}
	return false
}

// date is how days are told.
const date = "2 January 2006 15:04 MST"

// judge looks at a certificate that fits its key.
func judge(p Pair, leaf *x509.Certificate, now time.Time) []*Problem {
	var problems []*Problem
	switch {
	case now.After(leaf.NotAfter):
		problems = append(problems, &Problem{File: p.Cert, Warning: true,
			Text: fmt.Sprintf("the certificate %s expired on %s", p.Cert, leaf.NotAfter.UTC().Format(date)), Hint: "clients refuse it; put a new one in its place"})
	case now.Before(leaf.NotBefore):
		problems = append(problems, &Problem{File: p.Cert, Warning: true,
			Text: fmt.Sprintf("the certificate %s is not valid before %s, and it is %s", p.Cert, leaf.NotBefore.UTC().Format(date), now.UTC().Format(date)), Hint: "clients refuse it until then; is the clock right?"})
	}
	if mustStaple(leaf) && len(leaf.OCSPServer) == 0 {
		problems = append(problems, &Problem{File: p.Cert, Warning: true,
			Text: "the certificate " + p.Cert + " wants an OCSP response stapled to it (Must-Staple), and names nobody who gives one", Hint: "some clients refuse it; have it made without Must-Staple"})
	}
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 && !p.Default {
		problems = append(problems, &Problem{File: p.Cert,
			Text: "the certificate " + p.Cert + " names no host, so that none asks for it", Hint: "clients look at the subject's alternative names alone; default: true serves it to everybody"})
	}
	return problems
}
