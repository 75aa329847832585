package config

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// Scheme is what a backend's endpoints speak.
type Scheme string

// The schemes.
const (
	SchemeHTTP  Scheme = "http"  // HTTP/1.1, in the clear
	SchemeHTTPS Scheme = "https" // HTTP/1.1 over TLS
	SchemeH2C   Scheme = "h2c"   // HTTP/2 in the clear, with prior knowledge (RFC 9113 §3.3)
	SchemeH2    Scheme = "h2"    // HTTP/2 over TLS, by ALPN
	SchemeGRPC  Scheme = "grpc"  // h2c that carries gRPC
	SchemeGRPCS Scheme = "grpcs" // h2 that does
)

// The versions of the PROXY protocol that an endpoint can be told with who
// connects.
const (
	ProxyV1 = "v1"
	ProxyV2 = "v2"
)

// Secure tells whether it is spoken over TLS.
func (s Scheme) Secure() bool { return s == SchemeHTTPS || s == SchemeH2 || s == SchemeGRPCS }

// HTTP2 tells whether it is HTTP/2.
func (s Scheme) HTTP2() bool { return s != "" && s != SchemeHTTP && s != SchemeHTTPS }

// EndpointTLS is how TLS is spoken to a backend's endpoints. Paths are of PEM
// files, in the file's directory where they are not absolute. The zero value
// verifies by the system's authorities.
type EndpointTLS struct {
	CA         string // the authorities that are trusted; "" for the system's
	ServerName string // whom certificates are to name; "" for the endpoint's own host
	Cert, Key  string // what rgate shows of itself; "" for nothing
	Unverified bool   // whoever answers is trusted
	Place      Problem
	CAPlace    Problem // where the file names them, for what is found out later
	CertPlace  Problem
	KeyPlace   Problem
}

// Same tells whether two backends speak TLS alike.
func (t EndpointTLS) Same(other EndpointTLS) bool {
	return t.CA == other.CA && t.ServerName == other.ServerName && t.Cert == other.Cert && t.Key == other.Key && t.Unverified == other.Unverified
}

// endpointTLSDraft is an EndpointTLS with the nodes that later checks point at.
type endpointTLSDraft struct {
	EndpointTLS
	verify                    bool
	ca, cert, key, verifyNode *yaml.Node
}

var endpointTLSKeys = []key[endpointTLSDraft]{
	marked("ca", text(checkPath), func(t *endpointTLSDraft) (*string, **yaml.Node) { return &t.CA, &t.ca }),
	value("server_name", text(checkServerName), func(t *endpointTLSDraft) *string { return &t.ServerName }),
	marked("cert", text(checkPath), func(t *endpointTLSDraft) (*string, **yaml.Node) { return &t.Cert, &t.cert }),
	marked("key", text(checkPath), func(t *endpointTLSDraft) (*string, **yaml.Node) { return &t.Key, &t.key }),
	marked("verify", boolean, func(t *endpointTLSDraft) (*bool, **yaml.Node) { return &t.verify, &t.verifyNode }),
}

func checkServerName(name string) (message, hint string) {
	if !isHost(strings.TrimSuffix(name, ".")) {
		return shown(name) + " is no name that a certificate can have", "such as `orders.internal`, without scheme and port"
	}
	return "", ""
}

func readEndpointTLS(d *decoder, n *yaml.Node, into *backendDraft) {
	t := endpointTLSDraft{verify: true}
	since := d.unknown
	mapping(d, n, "`tls`", endpointTLSKeys, &t)
	if (t.cert == nil) != (t.key == nil) {
		missing := "key"
		if t.cert == nil {
			missing = "cert"
		}
		d.missing(follow(n), since, "`"+missing+"` of this `tls`", "what rgate shows of itself is two PEM files: `{cert: rgate.pem, key: rgate.key}`")
	}
	t.Unverified, t.Place = !t.verify, d.place(follow(n))
	if t.Unverified {
		t.Place = d.place(t.verifyNode)
	}
	for _, file := range []struct {
		path  *string
		node  *yaml.Node
		place *Problem
	}{{&t.CA, t.ca, &t.CAPlace}, {&t.Cert, t.cert, &t.CertPlace}, {&t.Key, t.key, &t.KeyPlace}} {
		if file.node != nil {
			*file.place, *file.path = d.place(file.node), d.path(*file.path)
		}
	}
	if t.Unverified && t.ca != nil {
		d.problem(t.ca, "remove one: with `verify: false` whoever answers is trusted", "`ca` means nothing with `verify: false`")
	}
	into.TLS = t.EndpointTLS
}

// checkScheme finds keys that the backend's scheme has no use for.
func (b *backendDraft) checkScheme(d *decoder, present map[string]entry) {
	if _, said := present["scheme"]; said && b.scheme == nil {
		return // it is wrong itself
	}
	if e, ok := present["tls"]; ok && !b.Scheme.Secure() && !isNull(follow(e.value)) {
		d.problem(e.key, "add `scheme: https` (or h2, grpcs), or remove it", "`tls` means nothing with scheme %s", shown(string(b.Scheme)))
	}
}
