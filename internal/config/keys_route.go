package config

import "go.yaml.in/yaml/v4"

// routeDraft is a Route with the nodes that later checks point at; they are
// nil where the key was missing.
type routeDraft struct {
	Route
	prefix, backend *yaml.Node
}

var routeKeys = []key[routeDraft]{
	value("path_prefix", text(), func(r *routeDraft) *string { return &r.PathPrefix }),
	value("backend", text(checkName), func(r *routeDraft) *string { return &r.Backend }),
	value("match", choice(MatchLiteral, MatchSegment), func(r *routeDraft) *MatchMode { return &r.Match }),
}

func readRoutes(d *decoder, n *yaml.Node, into *draft) {
	for _, item := range d.items(n, "routes") {
		route := routeDraft{Route: Route{Match: MatchLiteral, Line: item.Line}}
		before := len(d.problems)
		present := mapping(d, item, "a route", routeKeys, &route)
		if prefix, ok := present["path_prefix"]; ok {
			route.prefix = follow(prefix.value)
			if s := route.prefix; s.Kind == yaml.ScalarNode && len(d.problems) == before {
				checkPrefix(d, s, route.PathPrefix, route.Match)
			}
		} else if len(d.problems) == before {
			d.missing(item, "`path_prefix` of this route", "such as `path_prefix: /api`; `/` takes every path")
		}
		if backend, ok := present["backend"]; ok {
			route.backend = follow(backend.value)
		} else if len(d.problems) == before {
			d.missing(item, "`backend` of this route", "name one of the backends, such as `backend: orders`")
		}
		into.routes = append(into.routes, route)
	}
}
