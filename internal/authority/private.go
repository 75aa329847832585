package authority

import (
	"net"
	"net/netip"
	"strings"

	"rgate/internal/cert"
)

// zones are the names that no public authority vouches for, as nobody owns
// them: RFC 6761 §6.2 and §6.3 (test, localhost), RFC 6762 §3 and appendix G
// (local, and those that private networks use), RFC 8375 (home.arpa), and
// internal, which ICANN keeps for this.
var zones = []string{"localhost", "test", "local", "internal", "home.arpa", "intranet", "private", "corp", "home", "lan"}

// networks are the addresses that mean somebody else elsewhere: loopback, RFC
// 1918, RFC 6598, RFC 3927, RFC 4193 and RFC 4291 §2.5.6.
var networks = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
}

// Private tells whether the authority vouches for a host: localhost, a name
// below one of zones, or an address in one of networks.
func Private(host string) bool {
	host = cert.Normal(host)
	if a, err := netip.ParseAddr(host); err == nil {
		return privateAddress(a)
	}
	if host == "localhost" {
		return true
	}
	for _, zone := range zones {
		if rest, below := strings.CutSuffix(host, "."+zone); below {
			return isName(rest) && len(host) <= longestName
		}
	}
	return false
}

func privateAddress(a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// Bounds of names in octets, RFC 1035 §2.3.4.
const (
	longestName  = 253
	longestLabel = 63
)

// isName tells whether labels are ones of a host's name.
func isName(labels string) bool {
	for label := range strings.SplitSeq(labels, ".") {
		if len(label) == 0 || len(label) > longestLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// ipNets are networks as a certificate's constraints have them.
func ipNets() (list []*net.IPNet) {
	for _, n := range networks {
		list = append(list, &net.IPNet{IP: n.Addr().AsSlice(), Mask: net.CIDRMask(n.Bits(), n.Addr().BitLen())})
	}
	return list
}
