package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Listener is a socket that takes traffic, beside the first, which is that of
// Config.Listen or the command line. Its address is an IP address of this
// machine, localhost or no host, and a port.
type Listener struct {
	Name      string // "" for the first
	Address   string
	TLS       *ListenerTLS // nil for plain HTTP
	Redirect  string       // RedirectHTTPS, or "" for none
	Protocols Protocols
	Implied   bool    // the file does not name it: another wants it, and can do without
	Place     Problem // where the file says so, for what is found out later

	ProxyProtocol *ProxyProtocol // nil where no connection begins with such a header
}

// maxListeners bounds what each event loop holds a descriptor of, and what the
// environment of a successor can name.
const maxListeners = 100

// maxListenerName is what systemd takes for the name of a descriptor.
const maxListenerName = 255

// listenerDraft is a Listener with the nodes that later checks point at.
type listenerDraft struct {
	Listener
	address, name, redirect, protocols *yaml.Node
	auto                               bool // its TLS is tlsAuto
}

// RedirectHTTPS sends requests for hosts that are served with TLS there.
const RedirectHTTPS = "https"

var listenerKeys = []key[listenerDraft]{
	marked("address", text(checkListener), func(l *listenerDraft) (*string, **yaml.Node) { return &l.Address, &l.address }),
	marked("name", text(checkListenerName), func(l *listenerDraft) (*string, **yaml.Node) { return &l.Name, &l.name }),
	{name: "tls", below: namesOf(listenerTLSKeys), read: readListenerTLS},
	marked("redirect", choice(RedirectHTTPS), func(l *listenerDraft) (*string, **yaml.Node) { return &l.Redirect, &l.redirect }),
	{name: "protocols", read: readProtocols},
	{name: "proxy_protocol", below: namesOf(proxyProtocolKeys), read: readProxyProtocol},
}

func readListeners(d *decoder, n *yaml.Node, into *draft) {
	for i, item := range d.items(n, "listeners") {
		if i == maxListeners {
			d.problem(item, "remove those that nobody uses", "there are more than %d listeners", maxListeners)
			return
		}
		var l listenerDraft
		since := d.unknown
		present := mapping(d, item, "a listener", listenerKeys, &l)
		if _, ok := present["address"]; !ok {
			d.missing(item, since, "`address` of this listener", "such as `address: \":8081\"`")
		}
		if l.address == nil {
			continue
		}
		if l.name == nil {
			l.Name, l.name = l.Address, l.address
		}
		l.Place = d.place(l.address)
		into.listeners = append(into.listeners, l)
	}
}

func checkListener(address string) (message, hint string) {
	const example = "such as `\":8081\"`, `127.0.0.1:8081` or `\"[::1]:8081\"`"
	if address == "" {
		return "a listener's address cannot be empty", example
	}
	if message, hint := checkListen(address); message != "" {
		return message, hint
	}
	host, port, _ := net.SplitHostPort(address) // checkListen found it well
	if _, err := netip.ParseAddr(host); host != "" && host != "localhost" && err != nil {
		return shown(address) + " is not an address to listen on: " + shown(host) + " is a name, which may stand for several",
			"write the IP address of this machine that it stands for, or " + shown(":"+port) + " for all of them"
	}
	return "", ""
}

func checkListenerName(name string) (message, hint string) {
	switch {
	case name == "":
		return "a listener's name cannot be empty", "such as `internal`, or leave it out: its address is then its name"
	case hasControl(name):
		return "a listener's name is one line of text", ""
	case strings.TrimSpace(name) != name:
		return "a listener's name cannot begin or end with a space", "write " + shown(strings.TrimSpace(name))
	case len(name) > maxListenerName:
		return fmt.Sprintf("a listener's name has at most %d bytes", maxListenerName), ""
	}
	return "", ""
}

// resolveListeners checks the listeners against each other and against listen.
func (c *draft) resolveListeners(d *decoder) {
	named := make(map[string]int, len(c.listeners)) // name → line
	secure := slices.ContainsFunc(c.listeners, func(l listenerDraft) bool { return l.TLS != nil })
	for i, l := range c.listeners {
		l.settleProtocols(d)
		c.Listeners = append(c.Listeners, l.Listener)
		switch {
		case l.redirect == nil:
		case l.TLS != nil:
			d.problem(l.redirect, "remove it, or `tls`", "what speaks TLS already cannot redirect to it")
		case !secure:
			d.problem(l.redirect, "such as `- {address: \":443\", tls: {certificates: [{cert: shop.pem, key: shop.key}]}}`", "there is nothing to redirect to: no listener has `tls`")
		}
		line, twice := named[l.Name]
		switch {
		case c.listen != nil && Overlap(c.Listen, l.Address):
			d.problem(l.address, overlapHint(c.Listen, l.Address), "%s cannot be listened on beside %s, which is `listen` on line %d", shown(l.Address), shown(c.Listen), c.listen.Line)
		case l.overlaps(d, c.listeners[:i]):
		case twice:
			d.problem(l.name, "give one of them another name", "two listeners are named %s, the first on line %d", shown(l.Name), line)
		default:
			named[l.Name] = l.name.Line
		}
	}
	c.imply()
}

// imply adds listeners that redirect to those on port 443 that are to do all by
// themselves: people type names without a scheme. Where something listens on port
// 80 already, that is what the file wants.
func (c *draft) imply() {
	for _, l := range c.listeners {
		host, port, _ := net.SplitHostPort(l.Address)
		at := net.JoinHostPort(host, "80")
		if !l.auto || port != "443" || c.listen != nil && Overlap(c.Listen, at) {
			continue
		}
		if !slices.ContainsFunc(c.Listeners, func(other Listener) bool { return Overlap(other.Address, at) || other.Name == at }) {
			c.Listeners = append(c.Listeners, Listener{Name: at, Address: at, Redirect: RedirectHTTPS, Implied: true, Place: l.Place})
		}
	}
}

// Without is c without the listener at an address.
func (c *Config) Without(address string) *Config {
	next := *c
	next.Listeners = slices.DeleteFunc(slices.Clone(c.Listeners), func(l Listener) bool { return l.Address == address })
	return &next
}

// overlaps finds the first of others that l cannot be listened on beside.
func (l *listenerDraft) overlaps(d *decoder, others []listenerDraft) bool {
	for _, other := range others {
		if Overlap(other.Address, l.Address) {
			d.problem(l.address, overlapHint(other.Address, l.Address), "%s cannot be listened on beside %s on line %d", shown(l.Address), shown(other.Address), other.address.Line)
			return true
		}
	}
	return false
}

func overlapHint(a, b string) string {
	hostA, port := cutAddress(a)
	if hostB, _ := cutAddress(b); hostA == hostB {
		return "they are the same: change or remove one"
	}
	all := shown(a)
	if hostA != "" {
		all = shown(b)
	}
	return fmt.Sprintf("%s is port %d of every address: change a port, or remove one", all, port)
}

// Beside says which listeners cannot be beside the first, where that is not of
// the file alone: its address is that of the command line, or the default.
func (c *Config) Beside(first string) error {
	var list []Problem
	for _, l := range c.Listeners {
		if !l.Implied && Overlap(first, l.Address) {
			p := l.Place
			p.Message = shown(l.Address) + " cannot be listened on beside " + shown(first) + ", where rgate listens anyway"
			p.Hint = overlapHint(first, l.Address) + "; --port and `listen` say where else"
			list = append(list, p)
		}
	}
	if list == nil {
		return nil
	}
	return &Problems{List: sorted(list)}
}

// Overlap tells whether two addresses cannot be listened on at once. Those with
// port 0, which is any free one, always can.
func Overlap(a, b string) bool {
	hostA, portA := cutAddress(a)
	hostB, portB := cutAddress(b)
	return portA != 0 && portA == portB && (hostA == "" || hostB == "" || hostA == hostB)
}

// SameAddress tells whether two addresses are one.
func SameAddress(a, b string) bool {
	hostA, portA := cutAddress(a)
	hostB, portB := cutAddress(b)
	return hostA == hostB && portA == portB
}

// AnyPort tells whether the port of an address is any free one.
func AnyPort(address string) bool {
	_, port := cutAddress(address)
	return port == 0
}

// cutAddress gives the host of an address in one spelling, "" for all of them,
// and its port.
func cutAddress(address string) (host string, port int) {
	host, service, _ := net.SplitHostPort(address)
	port, _ = strconv.Atoi(service)
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
		if ip.IsUnspecified() {
			host = ""
		}
	}
	return host, port
}
