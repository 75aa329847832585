package config

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// backendDraft is a Backend with the nodes that later checks point at.
type backendDraft struct {
	Backend
	name *yaml.Node // nil where the key was missing
}

var backendKeys = slices.Concat(
	[]key[backendDraft]{
		value("name", text(checkName), func(b *backendDraft) *string { return &b.Name }),
		{name: "match_labels", read: func(d *decoder, n *yaml.Node, b *backendDraft) { b.MatchLabels = readLabels(d, n) }},
		value("port", integer(0, 65535), func(b *backendDraft) *int { return &b.Port }),
		value("scheme", choice("http"), func(b *backendDraft) *string { return &b.Scheme }),
		value("address", choice("auto", "container", "published"), func(b *backendDraft) *string { return &b.Address }),
		value("network", text(), func(b *backendDraft) *string { return &b.Network }),
		{name: "endpoints", read: func(d *decoder, n *yaml.Node, b *backendDraft) { b.Endpoints = readEndpoints(d, n) }},
		value("generation_label", text(), func(b *backendDraft) *string { return &b.GenerationLabel }),
		value("weight_label", text(), func(b *backendDraft) *string { return &b.WeightLabel }),
	},
	trafficKeys(func(b *backendDraft) *Traffic { return &b.Traffic }),
)

func readBackends(d *decoder, n *yaml.Node, into *draft) {
	for _, item := range d.items(n, "backends") {
		backend := backendDraft{Backend: defaultBackend(into.Traffic)}
		backend.Line = item.Line
		before := len(d.problems)
		present := mapping(d, item, "a backend", backendKeys, &backend)
		if name, ok := present["name"]; ok {
			backend.name = follow(name.value)
		} else if len(d.problems) == before {
			d.missing(item, "`name` of this backend", "such as `name: orders`; routes refer to it")
		}
		if len(d.problems) == before {
			backend.check(d, item, present)
		}
		into.backends = append(into.backends, backend)
	}
}

// check finds keys that are right one by one but make no backend together.
func (b *backendDraft) check(d *decoder, item *yaml.Node, present map[string]entry) {
	labels, hasLabels := present["match_labels"]
	switch {
	case len(b.MatchLabels) > 0 || len(b.Endpoints) > 0:
	case hasLabels:
		d.problem(follow(labels.value), "name at least one label, such as `- app_name=orders`, or give `endpoints`", "`match_labels` is empty: it would match every container")
	default:
		d.missing(item, "`match_labels` of backend "+shown(b.Name), "name the labels of its containers, or give `endpoints: [host:port]`")
	}
	if health, ok := present["health"]; ok && b.Traffic.Health.Path == "" && !isFalse(health.value) && !d.says(health.value, "path") {
		d.missing(follow(health.value), "`path` of `health`", "such as `path: /healthz`")
	}
	if sticky, ok := present["sticky"]; ok && b.Traffic.Sticky.Cookie == "" && !isFalse(sticky.value) && !d.says(sticky.value, "cookie") {
		d.missing(follow(sticky.value), "`cookie` of `sticky`", "the name of the cookie, such as `cookie: rgate`")
	}
}

// says tells whether a mapping, in which nothing is wrong, has a key.
func (d *decoder) says(n *yaml.Node, name string) bool {
	return slices.ContainsFunc(d.entries(n, ""), func(e entry) bool { return e.key.Value == name })
}
