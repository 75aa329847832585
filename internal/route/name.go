package route

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"rgate/internal/config"
)

// namedHosts is how many hosts a route's name spells out.
const namedHosts = 4

// identify is the name of a route, which tells all that it asks for:
//
//	shop.example.com/api [GET,POST] X-Channel=beta ?debug
//
// It is the prefix where a route asks for nothing else. The order in which the
// file lists hosts and methods makes no difference.
func identify(r *Route) string {
	name := hostsName(r.Hosts) + r.Prefix
	if len(r.Methods) > 0 {
		name += " [" + strings.Join(slices.Sorted(slices.Values(r.Methods)), ",") + "]"
	}
	for i := range r.conditions {
		name += " " + r.conditions[i].String()
	}
	return name
}

// hostsName is short also for thousands of hosts, and still tells one set of
// hosts from another.
func hostsName(hosts []string) string {
	all := slices.Sorted(slices.Values(hosts))
	if len(all) <= namedHosts {
		return strings.Join(all, ",")
	}
	sum := sha256.Sum256([]byte(strings.Join(all, ",")))
	return strings.Join(all[:namedHosts-1], ",") + ",and-" + strconv.Itoa(len(all)-namedHosts+1) + "-more-" + hex.EncodeToString(sum[:4])
}

func quote(text string) string { return strconv.Quote(text) }

// compileRoute is what c asks for.
func compileRoute(c *config.Route, methods methodNames) *Route {
	r := &Route{
		Hosts: c.Hosts, Prefix: c.PathPrefix, Match: c.Match, Methods: c.Methods, Line: c.Line,
		methods: methods.set(c.Methods), segment: c.Match == config.MatchSegment,
	}
	for _, h := range c.Headers {
		r.conditions = append(r.conditions, condition{Condition: h})
	}
	for _, p := range c.Query {
		r.conditions = append(r.conditions, condition{Condition: p, query: true})
	}
	r.asks = c.Conditions()
	r.ID = identify(r)
	return r
}
