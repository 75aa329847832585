package config

import (
	"go.yaml.in/yaml/v4"
)

// routeDraft is a Route with the nodes that later checks point at; they are
// nil where the key was missing or its value no text.
type routeDraft struct {
	Route
	item, prefix, backend *yaml.Node
	wrong                 bool // not all that it asks for could be read

	own    []policyItem // in the order of the keys, not of the file
	only   bool         // it wants none of those that all routes have
	led    bool         // it has the key backend
	unsure bool         // something in it was not understood, which may be what it lacks
}

var routeKeys = append([]key[routeDraft]{
	distinctAt("hosts", readHost, func(r *routeDraft, s scalar) *[]string {
		r.HostSpots = append(r.HostSpots, Spot{int32(s.node.Line), int32(s.node.Column)})
		return &r.Hosts
	}),
	marked("path_prefix", text(), func(r *routeDraft) (*string, **yaml.Node) { return &r.PathPrefix, &r.prefix }),
	distinct("methods", readMethod, func(r *routeDraft) *[]string { return &r.Methods }),
	{name: "headers", read: func(d *decoder, n *yaml.Node, r *routeDraft) { r.Headers = readConditions(d, n, "headers", headerName) }},
	{name: "query", read: func(d *decoder, n *yaml.Node, r *routeDraft) { r.Query = readConditions(d, n, "query", parameterName) }},
	marked("backend", text(checkName), func(r *routeDraft) (*string, **yaml.Node) { return &r.Backend, &r.backend }),
	value("match", choice(MatchLiteral, MatchSegment), func(r *routeDraft) *MatchMode { return &r.Match }),
	value("grpc_web", boolean, func(r *routeDraft) *bool { return &r.GRPCWeb }),
	{name: "policies", below: namesOf(policyKinds), read: func(d *decoder, n *yaml.Node, r *routeDraft) {
		r.own = append([]policyItem{}, policyItems(d, n, "policies")...)
	}},
	{name: "policies_only", below: namesOf(policyKinds), read: readOnly},
}, shortKeys()...)

// readOnly reads the policies of a route that wants none of those that all have.
func readOnly(d *decoder, n *yaml.Node, r *routeDraft) {
	if r.own != nil {
		d.problem(n, "keep one of them", "a route has `policies`, which come after those of `defaults`, or `policies_only`, which come alone")
	}
	r.own, r.only = policyItems(d, n, "policies_only"), true
}

var ipKeys = []key[IP]{
	{name: "allow", below: namesOf(fileKeys), read: readAllowed},
	{name: "deny", below: namesOf(fileKeys), read: func(d *decoder, n *yaml.Node, i *IP) { i.Deny = readNetworks(d, n, "deny") }},
}

// readAllowed reads who may come. Without anybody in it all may, which is not what a
// file means that names nobody: somebody may be writing it.
func readAllowed(d *decoder, n *yaml.Node, i *IP) {
	problems := len(d.problems)
	i.Allow = readNetworks(d, n, "allow")
	if len(i.Allow) > 0 || len(d.problems) > problems {
		return
	}
	for _, item := range d.items(n, "allow") {
		if item.Kind == yaml.MappingNode {
			d.problem(item, "write who may come, or leave `allow` out", "nobody is named here, and an empty `allow` would let everybody come")
			return
		}
	}
}

// marked is value, and keeps the node of what it read.
func marked[T, V any](name string, read reader[V], at func(*T) (*V, **yaml.Node)) key[T] {
	return key[T]{name: name, read: func(d *decoder, n *yaml.Node, into *T) {
		if s, ok := d.scalar(name, n); ok {
			if v, ok := read(d, s); ok {
				into, node := at(into)
				*into, *node = v, s.node
			}
		}
	}}
}

// distinct is values, none of which may be there twice.
func distinct[T any](name string, read reader[string], at func(*T) *[]string) key[T] {
	return distinctAt(name, read, func(into *T, _ scalar) *[]string { return at(into) })
}

// distinctAt is distinct, and tells at of each value where it stands.
func distinctAt[T any](name string, read reader[string], at func(*T, scalar) *[]string) key[T] {
	return key[T]{name: name, read: func(d *decoder, n *yaml.Node, into *T) {
		lines := map[string]int{}
		for _, item := range d.items(n, name) {
			s, ok := d.scalar(name, item)
			if !ok {
				continue
			}
			v, ok := read(d, s)
			if !ok {
				continue
			}
			if line, twice := lines[v]; twice {
				d.problem(s.node, "keep one of them", "%s is listed twice in `%s`, first on line %d", shown(v), name, line)
				continue
			}
			lines[v] = s.node.Line
			list := at(into, s)
			*list = append(*list, v)
		}
	}}
}

// asksForMore tells whether a route has keys besides those of a plain one.
func asksForMore(present map[string]entry) bool {
	for _, name := range []string{"hosts", "methods", "headers", "query"} {
		if _, ok := present[name]; ok {
			return true
		}
	}
	return false
}

// hasPolicies tells whether a route has keys of policies.
func hasPolicies(present map[string]entry) bool {
	for _, name := range append([]string{"policies", "policies_only"}, shortKinds...) {
		if _, ok := present[name]; ok {
			return true
		}
	}
	return false
}

func readRoutes(d *decoder, n *yaml.Node, into *draft) {
	for _, item := range d.items(n, "routes") {
		route := routeDraft{Route: Route{Match: MatchLiteral, Line: item.Line}, item: item}
		since, problems := d.unknown, len(d.problems)
		present := mapping(d, item, "a route", routeKeys, &route)
		route.wrong = len(d.problems) > problems && asksForMore(present)
		if route.prefix != nil {
			checkPrefix(d, route.prefix, route.PathPrefix, route.Match)
		}
		hosts, forHosts := present["hosts"]
		if _, ok := present["path_prefix"]; !ok && forHosts && !isEmpty(hosts.value) {
			route.PathPrefix = "/"
		} else if !ok {
			d.missing(item, since, "`path_prefix` of this route", "such as `path_prefix: /api`; `/` takes every path")
		}
		_, route.led = present["backend"]
		route.unsure = d.unknown > since || len(d.problems) > problems && hasPolicies(present)
		into.routes = append(into.routes, route)
	}
}
