package config

import (
	"net"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// DNS says how a TXT record is set for the challenge dns-01: by a command, by
// RFC 2136, or at a provider; one of them.
type DNS struct {
	Command  []string // the program, beside the file where relative, and its first arguments
	RFC2136  RFC2136
	Provider Provider
	// Propagation is how long a record may take until all see it; 0 does not
	// look.
	Propagation time.Duration
	Resolvers   []string // host:port of who is asked where the zone begins; empty for the system's
}

// RFC2136 names a server that takes dynamic updates.
type RFC2136 struct {
	Server       string // host:port
	KeyName      string // of TSIG (RFC 8945); "" for none
	Key          string // base64
	KeyAlgorithm string // hmac-sha256 or another of RFC 8945 §6
}

// Provider is one whose interface rgate speaks.
type Provider struct {
	Name  string
	Token string // what the provider calls an API token
}

func (n *DNS) given() bool {
	return len(n.Command) > 0 || n.RFC2136.Server != "" || n.Provider.Name != ""
}

// defaultPropagation is how long records are waited for if nobody says.
const defaultPropagation = 2 * time.Minute

var dnsKeys = []key[DNS]{
	values("command", text(checkArgument), func(n *DNS) *[]string { return &n.Command }),
	section("rfc2136", rfc2136Keys, func(n *DNS) *RFC2136 { return &n.RFC2136 }),
	section("provider", providerKeys, func(n *DNS) *Provider { return &n.Provider }),
	value("propagation", duration(0, longestPropagation), func(n *DNS) *time.Duration { return &n.Propagation }),
	values("resolvers", text(checkServer), func(n *DNS) *[]string { return &n.Resolvers }),
}

var rfc2136Keys = []key[RFC2136]{
	value("server", text(checkServer), func(r *RFC2136) *string { return &r.Server }),
	value("key_name", text(), func(r *RFC2136) *string { return &r.KeyName }),
	value("key", secret, func(r *RFC2136) *string { return &r.Key }),
	value("key_algorithm", choice("hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224"), func(r *RFC2136) *string { return &r.KeyAlgorithm }),
}

var providerKeys = []key[Provider]{
	value("name", choice(Providers...), func(p *Provider) *string { return &p.Name }),
	value("token", secret, func(p *Provider) *string { return &p.Token }),
}

// Providers are those whose interface rgate speaks.
var Providers = []string{"cloudflare", "desec", "digitalocean", "duckdns", "gandi"}

func readDNS(d *decoder, n *yaml.Node, into *ACME) {
	dns := DNS{Propagation: defaultPropagation, RFC2136: RFC2136{KeyAlgorithm: "hmac-sha256"}}
	since := d.unknown
	present := mapping(d, n, "`dns`", dnsKeys, &dns)
	var ways []entry
	for _, name := range []string{"command", "rfc2136", "provider"} {
		if e, ok := present[name]; ok {
			ways = append(ways, e)
		}
	}
	if len(ways) == 0 {
		d.missing(follow(n), since, "how records are set by this `dns`", "one of `command`, `rfc2136` and `provider`, such as `command: [./set-txt]`")
	}
	for _, more := range ways[min(1, len(ways)):] {
		d.problem(more.key, "keep one of them", "`%s` says how records are set, and so does `%s`", more.key.Value, ways[0].key.Value)
	}
	if e, ok := present["command"]; ok && isEmpty(e.value) {
		d.problem(follow(e.value), "such as `[./set-txt]`", "`command` names no program")
	}
	if e, ok := present["rfc2136"]; ok && dns.RFC2136.Server == "" {
		d.missing(follow(e.value), since, "`server` of `rfc2136`", "such as `server: 192.0.2.53:53`")
	}
	if e, ok := present["rfc2136"]; ok && (dns.RFC2136.KeyName == "") != (dns.RFC2136.Key == "") {
		d.problem(follow(e.value), "name both, or neither", "`key_name` and `key` of `rfc2136` belong together")
	}
	if e, ok := present["provider"]; ok {
		for i, got := range []string{dns.Provider.Name, dns.Provider.Token} {
			name := providerKeys[i].name
			if got == "" {
				d.missing(follow(e.value), since, "`"+name+"` of `provider`", "such as `provider: {name: cloudflare, token: \"${TOKEN}\"}`")
			}
		}
	}
	if len(dns.Command) > 0 && strings.Contains(dns.Command[0], "/") {
		dns.Command[0] = d.path(dns.Command[0])
	}
	into.DNS = dns
}

func checkArgument(word string) (message, hint string) {
	if strings.ContainsRune(word, 0) {
		return "an argument cannot hold a zero byte", ""
	}
	return "", ""
}

func checkServer(address string) (message, hint string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return shown(address) + " is no address of a server", "a host and a port, such as `192.0.2.53:53`"
	}
	return "", ""
}
