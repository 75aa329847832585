package config

import (
	"net/netip"

	"go.yaml.in/yaml/v4"
)

// ProxyProtocol says whose connections to a listener begin with a header of the
// PROXY protocol.
type ProxyProtocol struct {
	From []netip.Prefix // at least one
}

// Of tells whether a connection from peer begins with a header. It may be asked of
// nil, where none does.
func (p *ProxyProtocol) Of(peer netip.Addr) bool {
	if p == nil {
		return false
	}
	for _, n := range p.From {
		if n.Contains(peer) {
			return true
		}
	}
	return false
}

var proxyProtocolKeys = []key[ProxyProtocol]{
	values("from", readNetwork, func(p *ProxyProtocol) *[]netip.Prefix { return &p.From }),
}

func readProxyProtocol(d *decoder, n *yaml.Node, into *listenerDraft) {
	const example = "the addresses of the proxies in front, such as `from: [10.0.0.0/8]`"
	into.ProxyProtocol = &ProxyProtocol{}
	since := d.unknown
	present := mapping(d, n, "`proxy_protocol`", proxyProtocolKeys, into.ProxyProtocol)
	from, ok := present["from"]
	switch {
	case !ok:
		d.missing(follow(n), since, "`from` of this `proxy_protocol`", example)
	case isEmpty(from.value):
		d.problem(from.value, example, "`from` lists none")
	}
}
