package config

import (
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// ACME says how certificates are got from an authority by RFC 8555.
type ACME struct {
	Email     string   // whom the authority may write to; "" for nobody
	Directory []string // URLs of authorities: the first that issues is taken
	CA        string   // PEM file of the root that vouches for these; "" for the system's
	// Challenges are the ways to show that a name is this machine's.
	Challenges []string
	Storage    string // directory for keys and certificates; "" for the default
	EAB        EAB
	Profile    string // the kind of certificate that is asked for; "" for the authority's own choice
	DNS        DNS
	OnDemand   OnDemand
	Place      Problem
}

// EAB binds an account to one that the authority knows otherwise (RFC 8555
// §7.3.4).
type EAB struct {
	KeyID  string
	MACKey string // base64url
}

// OnDemand says for which names besides the routes' a certificate may be got
// once somebody asks for it.
type OnDemand struct {
	Ask  string // URL that is asked with ?domain=NAME, and lets pass with 200; "" for none
	Rate int    // names that may be new in an hour
}

// The challenges of ACME.
const (
	ChallengeHTTP    = "http-01"     // RFC 8555 §8.3
	ChallengeTLSALPN = "tls-alpn-01" // RFC 8737
	ChallengeDNS     = "dns-01"      // RFC 8555 §8.4
)

// LetsEncrypt is the authority of a file that names none.
const LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// Has tells whether a challenge may be used.
func (a *ACME) Has(challenge string) bool { return slices.Contains(a.Challenges, challenge) }

// Same tells whether two ask for certificates alike; nil is none.
func (a *ACME) Same(other *ACME) bool {
	if a == nil || other == nil {
		return a == other
	}
	x, y := *a, *other
	x.Place, y.Place = Problem{}, Problem{}
	return reflect.DeepEqual(x, y)
}

var acmeKeys = []key[ACME]{
	value("email", text(checkEmail), func(a *ACME) *string { return &a.Email }),
	{name: "directory", read: readDirectories},
	value("ca", text(checkPath), func(a *ACME) *string { return &a.CA }),
	values("challenges", choice(ChallengeTLSALPN, ChallengeHTTP, ChallengeDNS), func(a *ACME) *[]string { return &a.Challenges }),
	value("storage", text(checkPath), func(a *ACME) *string { return &a.Storage }),
	section("eab", eabKeys, func(a *ACME) *EAB { return &a.EAB }),
	value("profile", text(checkProfile), func(a *ACME) *string { return &a.Profile }),
	{name: "dns", below: namesOf(dnsKeys), read: readDNS},
	{name: "on_demand", below: namesOf(onDemandKeys), read: readOnDemand},
}

var eabKeys = []key[EAB]{
	value("key_id", text(), func(e *EAB) *string { return &e.KeyID }),
	value("mac_key", secret, func(e *EAB) *string { return &e.MACKey }),
}

var onDemandKeys = []key[OnDemand]{
	value("ask", text(checkURL), func(o *OnDemand) *string { return &o.Ask }),
	value("rate", integer(1, 100_000), func(o *OnDemand) *int { return &o.Rate }),
}

// defaultRate is how many names may be new in an hour where nobody says.
const defaultRate = 60

// defaultACME is what `tls: auto` says.
func defaultACME(at Problem) *ACME {
	return &ACME{Place: at, Directory: []string{LetsEncrypt}, Challenges: []string{ChallengeTLSALPN, ChallengeHTTP}}
}

func readACME(d *decoder, n *yaml.Node, into *ListenerTLS) {
	a := &ACME{Place: d.place(n)}
	present := mapping(d, n, "`acme`", acmeKeys, a)
	if dns, ok := present["dns"]; ok && a.Challenges == nil {
		a.Challenges = []string{ChallengeDNS}
	} else if ok && !a.Has(ChallengeDNS) {
		d.problem(dns.key, "add dns-01 to `challenges`, or remove `dns`", "`dns` is for the challenge dns-01, which is not among `challenges`")
	}
	if list, ok := present["challenges"]; ok && a.Has(ChallengeDNS) && !a.DNS.given() {
		d.problem(follow(list.value), "such as `dns: {command: [./set-txt]}`", "the challenge dns-01 needs `dns`, which says how records are set")
	}
	if e, ok := present["eab"]; ok && (a.EAB.KeyID == "") != (a.EAB.MACKey == "") {
		d.problem(follow(e.value), "name both, as the authority gives them", "`key_id` and `mac_key` of `eab` belong together")
	}
	if a.CA != "" {
		a.CA = d.path(a.CA)
	}
	if a.Storage != "" {
		a.Storage = d.path(a.Storage)
	}
	usual := defaultACME(a.Place)
	if a.Directory == nil {
		a.Directory = usual.Directory
	}
	if a.Challenges == nil {
		a.Challenges = usual.Challenges
	}
	into.ACME = a
}

// checkNames finds listeners that could never serve anything: what they are to
// get certificates for nobody says.
func (c *draft) checkNames(d *decoder) {
	if slices.ContainsFunc(c.routes, func(r routeDraft) bool { return len(r.Hosts) > 0 || r.wrong }) {
		return
	}
	for _, l := range c.listeners {
		if t := l.TLS; t != nil && t.ACME != nil && len(t.Certificates) == 0 && !t.Internal && t.ACME.OnDemand.Ask == "" {
			at := t.ACME.Place
			d.report(at.Line, at.Column, at.Span, "there is no name to get a certificate for: no route has `hosts`", "such as `hosts: [shop.example.com]` in a route")
		}
	}
}

// readDirectories takes one URL, or a list of them.
func readDirectories(d *decoder, n *yaml.Node, into *ACME) {
	list := []*yaml.Node{follow(n)}
	if list[0].Kind == yaml.SequenceNode {
		list = d.items(n, "directory")
	}
	for _, item := range list {
		s, ok := d.scalar("directory", item)
		if !ok {
			continue
		}
		if at, ok := text(emptyOr(checkURL))(d, s); ok && at != "" {
			into.Directory = append(into.Directory, at)
		}
	}
}

func readOnDemand(d *decoder, n *yaml.Node, into *ACME) {
	o := OnDemand{Rate: defaultRate}
	since := d.unknown
	present := mapping(d, n, "`on_demand`", onDemandKeys, &o)
	if _, ok := present["ask"]; !ok {
		d.missing(follow(n), since, "`ask` of `on_demand`", "such as `ask: http://127.0.0.1:9000/may`: without it any stranger could have certificates ordered")
	}
	into.OnDemand = o
}

func checkEmail(address string) (message, hint string) {
	if address == "" {
		return "", ""
	}
	if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
		return shown(address) + " is no address of mail", "such as `ops@example.com`"
	}
	return "", ""
}

// checkURL is for what is asked over the network. What is secret in answers
// must not go in the clear, so that http is for this machine alone.
func checkURL(given string) (message, hint string) {
	u, err := url.Parse(given)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return shown(given) + " is no URL", "such as `https://ca.example.com/directory`"
	case u.User != nil:
		return "a URL here has no user and password", "write the host and path alone"
	case u.Scheme == "http" && !isLocal(u.Hostname()):
		return shown(given) + " is asked in the clear", "write `https://`: http is for this machine alone"
	}
	return "", ""
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func checkProfile(name string) (message, hint string) {
	if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return shown(name) + " is no profile", "a word that the authority lists in its directory, such as `shortlived`"
	}
	return "", ""
}

// secret reads text that is never repeated.
func secret(d *decoder, s scalar) (string, bool) {
	if !s.isText() {
		d.problem(s.node, "write it in quotes", "`%s` must be text", s.name)
		return "", false
	}
	if s.text == "" || strings.ContainsFunc(s.text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		d.problem(s.node, "letters, digits and signs without spaces; `${NAME}` takes it from the environment", "`%s` is empty, or holds what no key does", s.name)
		return "", false
	}
	return s.text, true
}

// DefaultStorage is where certificates of ACME are kept if nobody says, below
// a directory for what a process keeps.
func DefaultStorage(state string) string { return filepath.Join(state, "acme") }

// longestPropagation is how long a record may take to be seen everywhere.
const longestPropagation = time.Hour
