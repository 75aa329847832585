package config

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// ListenerTLS says that a listener speaks TLS, and how.
type ListenerTLS struct {
	Certificates []Certificate
	ACME         *ACME         // has names that they have not; nil for not at all
	Internal     bool          // private names that they have not get one of rgate's own authority
	MinVersion   string        // TLS12 or TLS13
	ClientAuth   *ClientAuth   // nil where clients are not asked for certificates
	Offers       Protocols     // those of the listener
	HSTS         time.Duration // for which clients are to come with TLS alone; 0 says nothing of it
	Place        Problem       // where the file says so, for what is found out later
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
	return t.Internal == other.Internal && t.ACME.Same(other.ACME) && t.MinVersion == other.MinVersion && t.Offers == other.Offers && t.ClientAuth.same(other.ClientAuth) && t.HSTS == other.HSTS && slices.EqualFunc(t.Certificates, other.Certificates, func(a, b Certificate) bool {
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
	{name: "acme", below: namesOf(acmeKeys), read: readACME},
	value("internal", boolean, func(t *ListenerTLS) *bool { return &t.Internal }),
	value("min_version", choice(TLS12, TLS13), func(t *ListenerTLS) *string { return &t.MinVersion }),
	{name: "client_auth", below: namesOf(clientAuthKeys), read: readClientAuth},
	value("hsts", duration(0, longestHSTS), func(t *ListenerTLS) *time.Duration { return &t.HSTS }),
}

// tlsWords are what `tls` can be in one word, and what each means.
var tlsWords = []struct {
	word string
	mean func(l *listenerDraft, at Problem)
}{
	{"auto", func(l *listenerDraft, at Problem) { l.TLS.ACME, l.auto = defaultACME(at), true }},
	{"internal", func(l *listenerDraft, _ Problem) { l.TLS.Internal = true }},
}

// readListenerTLS takes a mapping, or one word for where all certificates come
// from.
func readListenerTLS(d *decoder, n *yaml.Node, into *listenerDraft) {
	t := &ListenerTLS{MinVersion: TLS12, Place: d.place(follow(n))}
	into.TLS = t
	if at := follow(n); at.Kind == yaml.ScalarNode && !isNull(at) {
		readTLSWord(d, n, into)
		return
	}
	since := d.unknown
	present := mapping(d, n, "`tls`", listenerTLSKeys, t)
	list, ok := present["certificates"]
	switch {
	case t.Internal || t.ACME != nil:
	case !ok:
		d.missing(follow(n), since, "`certificates` of this `tls`", "such as `certificates: [{cert: shop.pem, key: shop.key}]`, `acme` to get them, or `internal: true` for private names")
	case isEmpty(list.value):
		d.problem(list.value, "such as `[{cert: shop.pem, key: shop.key}]`", "`certificates` lists none")
	}
}

func readTLSWord(d *decoder, n *yaml.Node, into *listenerDraft) {
	s, ok := d.scalar("tls", n)
	if !ok {
		return
	}
	var words []string
	for _, w := range tlsWords {
		if w.word == s.text {
			w.mean(into, d.place(s.node))
			return
		}
		words = append(words, "`"+w.word+"`")
	}
	d.problem(s.node, "write "+strings.Join(words, " or ")+", or its keys below it: `certificates: [{cert: shop.pem, key: shop.key}]`", "`tls` cannot be %s", shown(s.text))
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
