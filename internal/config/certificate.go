package config

import (
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"
)

// ListenerTLS says that a listener speaks TLS, and how.
type ListenerTLS struct {
	Certificates []Certificate // at least one
	MinVersion   string        // TLS12 or TLS13
	HSTS         time.Duration // for which clients are to come with TLS alone; 0 says nothing of it
}

// Certificate names the PEM files of one certificate, of the file's directory
// where they are not absolute.
type Certificate struct {
	Cert, Key string
	Default   bool    // serves, too, where no certificate has the name that is asked for
	CertPlace Problem // where the file names them, for what is found out later
	KeyPlace  Problem
}

// The versions of TLS a listener can ask for.
const (
	TLS12 = "1.2" // RFC 5246
	TLS13 = "1.3" // RFC 8446
)

// longestHSTS is as good as for ever.
const longestHSTS = 10 * 365 * 24 * time.Hour

// Same tells whether two listeners speak TLS alike; nil is none.
func (t *ListenerTLS) Same(other *ListenerTLS) bool {
	if t == nil || other == nil {
		return t == other
	}
	return t.MinVersion == other.MinVersion && t.HSTS == other.HSTS && slices.EqualFunc(t.Certificates, other.Certificates, func(a, b Certificate) bool {
		return a.Cert == b.Cert && a.Key == b.Key && a.Default == b.Default
	})
}

// certificateDraft is a Certificate with the nodes of its files.
type certificateDraft struct {
	Certificate
	cert, key *yaml.Node
}

var certificateKeys = []key[certificateDraft]{
	marked("cert", text(checkPath), func(c *certificateDraft) (*string, **yaml.Node) { return &c.Cert, &c.cert }),
	marked("key", text(checkPath), func(c *certificateDraft) (*string, **yaml.Node) { return &c.Key, &c.key }),
	value("default", boolean, func(c *certificateDraft) *bool { return &c.Default }),
}

var listenerTLSKeys = []key[ListenerTLS]{
	{name: "certificates", below: namesOf(certificateKeys), read: readCertificates},
	value("min_version", choice(TLS12, TLS13), func(t *ListenerTLS) *string { return &t.MinVersion }),
	value("hsts", duration(0, longestHSTS), func(t *ListenerTLS) *time.Duration { return &t.HSTS }),
}

func readListenerTLS(d *decoder, n *yaml.Node, into *listenerDraft) {
	t := &ListenerTLS{MinVersion: TLS12}
	since := d.unknown
	present := mapping(d, n, "`tls`", listenerTLSKeys, t)
	list, ok := present["certificates"]
	switch {
	case !ok:
		d.missing(follow(n), since, "`certificates` of this `tls`", "such as `certificates: [{cert: shop.pem, key: shop.key}]`")
	case isEmpty(list.value):
		d.problem(list.value, "such as `[{cert: shop.pem, key: shop.key}]`", "`certificates` lists none")
	}
	into.TLS = t
}

func readCertificates(d *decoder, n *yaml.Node, into *ListenerTLS) {
	for _, item := range d.items(n, "certificates") {
		var c certificateDraft
		since := d.unknown
		present := mapping(d, item, "a certificate", certificateKeys, &c)
		for _, name := range []string{"cert", "key"} {
			if _, ok := present[name]; !ok {
				d.missing(follow(item), since, "`"+name+"` of this certificate", "a certificate is two PEM files: `{cert: shop.pem, key: shop.key}`")
			}
		}
		if c.cert == nil || c.key == nil {
			continue
		}
		c.CertPlace, c.KeyPlace = d.place(c.cert), d.place(c.key)
		c.Cert, c.Key = d.path(c.Cert), d.path(c.Key)
		into.Certificates = append(into.Certificates, c.Certificate)
	}
}

func checkPath(path string) (message, hint string) {
	if path == "" {
		return "the path of a file cannot be empty", "such as `shop.pem`, beside this file"
	}
	return "", ""
}

// path is a file's path, which is beside the configuration where it is relative.
func (d *decoder) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(d.file), name)
}
