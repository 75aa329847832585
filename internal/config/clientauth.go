package config

import "go.yaml.in/yaml/v4"

// ClientAuth has clients show certificates.
type ClientAuth struct {
	CA    string  // the PEM file of the authorities that vouch for clients
	Mode  string  // ClientAuthRequire or ClientAuthRequest
	Place Problem // where the file names it, for what is found out later
}

// What becomes of a client without a certificate. One with a certificate that is
// not good is refused either way.
const (
	ClientAuthRequire = "require" // it is refused
	ClientAuthRequest = "request" // it is served
)

// same tells whether two ask for the same; nil is nothing.
func (a *ClientAuth) same(other *ClientAuth) bool {
	if a == nil || other == nil {
		return a == other
	}
	return a.CA == other.CA && a.Mode == other.Mode
}

// clientAuthDraft is a ClientAuth with the node of its file.
type clientAuthDraft struct {
	ClientAuth
	ca *yaml.Node
}

var clientAuthKeys = []key[clientAuthDraft]{
	marked("ca", text(checkPath), func(a *clientAuthDraft) (*string, **yaml.Node) { return &a.CA, &a.ca }),
	value("mode", choice(ClientAuthRequire, ClientAuthRequest), func(a *clientAuthDraft) *string { return &a.Mode }),
}

func readClientAuth(d *decoder, n *yaml.Node, into *ListenerTLS) {
	a := clientAuthDraft{ClientAuth: ClientAuth{Mode: ClientAuthRequire}}
	since := d.unknown
	present := mapping(d, n, "`client_auth`", clientAuthKeys, &a)
	if _, ok := present["ca"]; !ok {
		d.missing(follow(n), since, "`ca` of this `client_auth`", "the PEM file of the authorities that sign the certificates of clients, such as `ca: clients.pem`")
	}
	if a.ca != nil {
		a.Place, a.CA = d.place(a.ca), d.path(a.CA)
		into.ClientAuth = &a.ClientAuth
	}
}
