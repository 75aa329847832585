package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// CheckListen says what is wrong with an address to listen on, if anything is.
func CheckListen(address string) error {
	if message, hint := checkListen(address); message != "" {
		return fmt.Errorf("%s (%s)", message, hint)
	}
	return nil
}

// checkListen is for the address rgate itself listens on; empty is every
// address, on the port of the command line.
func checkListen(address string) (message, hint string) {
	if address == "" {
		return "", ""
	}
	if _, err := strconv.Atoi(address); err == nil {
		return shown(address) + " is not an address to listen on", "write `\":" + address + "\"`"
	}
	const example = "such as `\":8080\"`, `127.0.0.1:8080` or `\"[::1]:8080\"`"
	host, port, err := net.SplitHostPort(address)
	if err != nil || host != "" && !isHost(host) {
		return shown(address) + " is not an address to listen on", example
	}
	if number, err := strconv.Atoi(port); err != nil || number < 0 || number > 65535 {
		return shown(port) + " is not a port", "a number from 0 to 65535; 0 is any free port"
	}
	return "", ""
}

// readEndpoints reads a list of host:port.
func readEndpoints(d *decoder, n *yaml.Node) []string {
	var list []string
	seen := map[string]int{}
	for _, item := range d.items(n, "endpoints") {
		s, ok := d.scalar("endpoints", item)
		if !ok {
			continue
		}
		address, ok := text(checkEndpoint)(d, s)
		if !ok {
			continue
		}
		if line, twice := seen[address]; twice {
			d.problem(item, "remove one; `weight_label` gives a container more requests", "endpoint %s is listed twice, first on line %d", shown(address), line)
			continue
		}
		seen[address] = item.Line
		list = append(list, address)
	}
	return list
}

func checkEndpoint(address string) (message, hint string) {
	fault := shown(address) + " is not host:port"
	if _, rest, ok := strings.Cut(address, "://"); ok {
		return fault, "leave out the scheme: " + shown(strings.TrimRight(rest, "/"))
	}
	if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() {
		return fault, "an IPv6 address stands in brackets: " + shown("["+address+"]:8080")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		if isHost(address) {
			return fault, "add the port: " + shown(address+":8080")
		}
		return fault, "such as `10.0.0.7:8080`, `orders.internal:8080` or `\"[fd00::7]:8080\"`"
	}
	if !isHost(host) {
		return fault + ": " + shown(host) + " is no host", "such as `10.0.0.7:8080` or `orders.internal:8080`"
	}
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
		return shown(port) + " is not a port", "a number from 1 to 65535"
	}
	return "", ""
}

// isHost tells whether host can be looked up: an IP address or a name.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if host == "" || len(host) > 253 || strings.HasPrefix(host, "-") || strings.Contains(host, "..") || host[0] == '.' {
		return false
	}
	for _, c := range []byte(host) {
		if !isUnreserved(c) || c == '~' {
			return false
		}
	}
	labels := strings.Split(host, ".")
	_, err := strconv.Atoi(labels[len(labels)-1])
	return err != nil // 10.0.0.300 is a slip in an IP address, not a name
}

// readNetwork reads an IP address or a network.
func readNetwork(d *decoder, s scalar) (netip.Prefix, bool) {
	value, ok := text()(d, s)
	if !ok {
		return netip.Prefix{}, false
	}
	network, message, hint := parseNetwork(value)
	if message != "" {
		d.problem(s.node, hint, "%s", message)
	}
	return network, message == ""
}

// parseNetwork reads an address or a network, or says what is wrong with it.
func parseNetwork(value string) (network netip.Prefix, message, hint string) {
	if ip, err := netip.ParseAddr(value); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), "", ""
	}
	network, err := netip.ParsePrefix(value)
	if err != nil {
		return network, shown(value) + " is neither an IP address nor a network", "such as `10.0.0.0/8`, `192.0.2.7` or `fd00::/8`"
	}
	if a := network.Addr(); a.Is4In6() {
		hint := "write it with dots, such as " + shown("10.0.0.0/8")
		if bits := network.Bits() - 96; bits >= 0 {
			hint = "write " + shown(netip.PrefixFrom(a.Unmap(), bits).Masked().String())
		}
		return network, shown(value) + " holds IPv4 addresses, which are never seen in this form", hint
	}
	if masked := network.Masked(); masked != network {
		hint := "write " + shown(masked.String()) + " for the network, or " + shown(network.Addr().String()) + " for one address"
		return network, "the address of " + shown(value) + " is not the first of its network", hint
	}
	return network, "", ""
}

// checkDockerHost is for where an engine answers; empty is for the
// environment to say.
func checkDockerHost(host string) (message, hint string) {
	const example = "such as `unix:///var/run/docker.sock`, `tcp://10.0.0.7:2376` or `ssh://user@host`"
	if host == "" {
		return "", ""
	}
	fault := shown(host) + " is not an address of a Docker engine"
	scheme, rest, ok := strings.Cut(host, "://")
	switch {
	case !ok && strings.HasPrefix(host, "/"):
		return fault, "write " + shown("unix://"+host)
	case !ok || hasControl(host) || rest == "":
		return fault, example
	}
	switch scheme {
	case "unix":
		if !strings.HasPrefix(rest, "/") {
			return fault, "the path after unix:// begins with `/`: " + shown("unix:///"+rest)
		}
	case "tcp":
		if message, _ := checkEndpoint(rest); message != "" {
			return fault, "tcp:// is followed by host:port, such as `tcp://10.0.0.7:2376`"
		}
	case "ssh":
	default:
		return fault, example
	}
	return "", ""
}

func isTCP(host string) bool { return strings.HasPrefix(host, "tcp://") }
