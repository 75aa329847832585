package config

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// Hosts are written by people, who think of ports, schemes and letters beyond
// ASCII; requests carry names as DNS has them. What a file says is brought to
// the one form that requests are compared in.

// hostNames brings a name to the form that it has in DNS, and so in requests.
// It is less strict than registries are: names of containers and machines hold
// underscores, and hyphens wherever they like.
var hostNames = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(),
	idna.StrictDomainName(false), idna.CheckHyphens(false), idna.VerifyDNSLength(true))

// readHost reads a host of a route, with or without a leading `*.`.
func readHost(d *decoder, s scalar) (string, bool) {
	host, ok := text(checkHost)(d, s)
	if !ok {
		return "", false
	}
	normal, _, _ := normalHost(host)
	return normal, true
}

func checkHost(host string) (message, hint string) {
	_, message, hint = normalHost(host)
	return message, hint
}

// normalHost is host as requests are compared with it, or what is wrong with it.
func normalHost(host string) (normal, message, hint string) {
	if message, hint = hostFault(host); message != "" {
		return "", message, hint
	}
	name, wild := strings.CutPrefix(host, "*.")
	if ip, ok := literalHost(name); ok {
		if wild {
			return "", "an address has no names below it", "write " + shown(ip)
		}
		return ip, "", ""
	}
	name, err := hostNames.ToASCII(strings.TrimSuffix(name, "."))
	if err != nil && strings.Contains(strings.ToLower(host), "xn--") {
		return "", shown(host) + " holds a label with `xn--` that stands for no name", "write it as it is read, such as `bücher.example`"
	}
	if err != nil {
		return "", shown(host) + " is no host name: labels of 1 to 63 characters, 253 in all", "such as `shop.example.com`, or `*.example.com` for all below it"
	}
	for _, label := range strings.Split(name, ".") {
		if at := strings.IndexFunc(label, notOfHost); at >= 0 {
			return "", "a host name cannot hold " + shown(label[at:at+1]), "letters, digits, `-` and `_`, in labels with dots between"
		}
	}
	if last := name[strings.LastIndexByte(name, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return "", shown(host) + " is neither a name nor an address: only an address ends with a number", "write an IPv4 address in full, such as `192.0.2.7`"
	}
	if wild {
		name = "*." + name
	}
	return name, "", ""
}

// hostFault finds what was written besides a host, or in place of one.
func hostFault(host string) (message, hint string) {
	switch name := strings.TrimPrefix(host, "*."); {
	case host == "":
		return "a host cannot be empty", "leave `hosts` out for a route that takes every host"
	case host == "*":
		return "`*` alone is no host", "leave `hosts` out for a route that takes every host"
	case strings.Contains(host, "://"):
		if u, err := url.Parse(host); err == nil && u.Hostname() != "" {
			return "a host is no URL", "write " + shown(u.Hostname())
		}
		return "a host is no URL", "write the name alone"
	case strings.Contains(host, "/"):
		return "a host ends before `/`", "write " + shown(host[:strings.IndexByte(host, '/')]) + ", and the path as `path_prefix`"
	case strings.Contains(name, "*"):
		return "`*` stands at the beginning of a host alone, before a dot", "such as `*.example.com`, which takes every name below example.com"
	case strings.HasPrefix(name, "["):
		return addressFault(name)
	case strings.Count(name, ":") > 1:
		return "an IPv6 address as a host stands in brackets", "write " + shown("["+name+"]")
	case strings.Contains(name, ":"):
		return "a host is compared without its port", "write " + shown(host[:strings.IndexByte(host, ':')])
	}
	return "", ""
}

// addressFault finds what is wrong with a host that begins with a bracket.
func addressFault(name string) (message, hint string) {
	inside, rest, closed := strings.Cut(name[1:], "]")
	if ip, err := netip.ParseAddr(inside); !closed || err != nil || !ip.Is6() || ip.Zone() != "" {
		return shown(name) + " is no IPv6 address in brackets", "such as `[2001:db8::7]`"
	}
	if rest != "" {
		return "a host is compared without its port", "write " + shown("["+inside+"]")
	}
	return "", ""
}

// literalHost is an address as it stands in a Host field.
func literalHost(name string) (string, bool) {
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	if err != nil {
		return "", false
	}
	if ip.Is6() {
		return "[" + ip.String() + "]", true
	}
	return ip.String(), true
}

func notOfHost(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// ASCIIHost is host as it would be sent: what a person writes beyond ASCII in
// the form that DNS has. What is no name stays as it is.
func ASCIIHost(host string) string {
	if ascii, err := hostNames.ToASCII(host); err == nil && strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		return ascii
	}
	return host
}
