package config

import "go.yaml.in/yaml/v4"

// routeDraft is a Route with the nodes that later checks point at; they are
// nil where the key was missing or its value no text.
type routeDraft struct {
	Route
	prefix, backend *yaml.Node
}

var routeKeys = []key[routeDraft]{
	marked("path_prefix", text(), func(r *routeDraft) (*string, **yaml.Node) { return &r.PathPrefix, &r.prefix }),
	marked("backend", text(checkName), func(r *routeDraft) (*string, **yaml.Node) { return &r.Backend, &r.backend }),
	value("match", choice(MatchLiteral, MatchSegment), func(r *routeDraft) *MatchMode { return &r.Match }),
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

func readRoutes(d *decoder, n *yaml.Node, into *draft) {
	for _, item := range d.items(n, "routes") {
		route := routeDraft{Route: Route{Match: MatchLiteral, Line: item.Line}}
		since := d.unknown
		present := mapping(d, item, "a route", routeKeys, &route)
		if route.prefix != nil {
			checkPrefix(d, route.prefix, route.PathPrefix, route.Match)
		}
		if _, ok := present["path_prefix"]; !ok {
			d.missing(item, since, "`path_prefix` of this route", "such as `path_prefix: /api`; `/` takes every path")
		}
		if _, ok := present["backend"]; !ok {
			d.missing(item, since, "`backend` of this route", "name one of the backends, such as `backend: orders`")
		}
		into.routes = append(into.routes, route)
	}
}
