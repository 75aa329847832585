package docker

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"rgate/internal/discovery"
)

// noWay is why rgate in a container of internal networks cannot use what is
// on the engine's host.
const noWay = "unreachable: rgate's own container has no way to the engine's host"

// addresses are those by which a container's port may be reached, the
// preferred first; where there is none, the reason.
//
// A container's own address saves a hop through the engine's proxy, so it
// comes first wherever it is expected to be reachable. Where it is not, the
// published port comes first and the container's address is a last resort.
func addresses(f facts, s discovery.Selector, p place, port int) (tries []string, reason string) {
	if id, ok := strings.CutPrefix(f.mode, "container:"); ok {
		if f.donor == nil {
			return nil, fmt.Sprintf("unreachable: it uses the network of container %.12s, which is not there", id)
		}
		f = *f.donor
	}
	if f.mode == "host" {
		if p.host == "" {
			return nil, noWay
		}
		return []string{join(p.host, port)}, ""
	}
	own, whyNotOwn := ownAddresses(f, s, p, port)
	published, whyNotPublished := publishedAddresses(f, p, port)
	switch {
	case s.Address == discovery.AddressContainer:
		return own, whyNotOwn
	case s.Address == discovery.AddressPublished:
		return published, whyNotPublished
	case p.direct:
		tries = append(own, published...)
	default:
		tries = append(published, own...)
	}
	if len(tries) == 0 {
		return nil, whyNotOwn
	}
	return slices.Compact(tries), ""
}

// ownAddresses are the container's own, on networks that rgate shares first,
// then by the networks' names.
func ownAddresses(f facts, s discovery.Selector, p place, port int) (tries []string, reason string) {
	var shared, others, names []string
	for _, a := range f.attachments {
		names = append(names, a.name)
		if s.Network != "" && a.name != s.Network || !a.addr.IsValid() {
			continue
		}
		if addr := join(a.addr.String(), port); p.networks[a.id] {
			shared = append(shared, addr)
		} else {
			others = append(others, addr)
		}
	}
	if tries = append(shared, others...); len(tries) > 0 {
		return tries, ""
	}
	switch {
	case len(names) == 0 || len(names) == 1 && names[0] == "none":
		return nil, "unreachable: it is on no network"
	case s.Network != "" && !slices.Contains(names, s.Network):
		return nil, fmt.Sprintf("unreachable: it is not on network %s (but on %s)", s.Network, strings.Join(names, ", "))
	}
	return nil, fmt.Sprintf("unreachable: it has no address on %s", strings.Join(names, ", "))
}

func publishedAddresses(f facts, p place, port int) (tries []string, reason string) {
	if p.host == "" {
		return nil, noWay
	}
	var loopback bool
	for _, b := range f.bindings {
		switch {
		case b.private != port:
		case !b.ip.IsValid() || b.ip.IsUnspecified():
			tries = append(tries, join(p.host, b.public))
		case b.ip.IsLoopback() && !p.onHost():
			loopback = true // the loopback of another machine or namespace
		default:
			tries = append(tries, join(b.ip.String(), b.public))
		}
	}
	if len(tries) == 0 && loopback {
		return nil, fmt.Sprintf("unreachable: port %d is published on the loopback of the engine's host alone", port)
	}
	if len(tries) == 0 {
		return nil, fmt.Sprintf("unreachable: port %d is not published", port)
	}
	return slices.Compact(tries), ""
}

func join(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
