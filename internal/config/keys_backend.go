package config

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// backendDraft is a Backend with the nodes that later checks point at.
type backendDraft struct {
	Backend
	name   *yaml.Node // nil where the key was missing or its value no name
	scheme *yaml.Node // likewise
}

var backendKeys = slices.Concat(
	[]key[backendDraft]{
		marked("name", text(checkName), func(b *backendDraft) (*string, **yaml.Node) { return &b.Name, &b.name }),
		{name: "match_labels", read: func(d *decoder, n *yaml.Node, b *backendDraft) { b.MatchLabels = readLabels(d, n) }},
		value("port", integer(0, 65535), func(b *backendDraft) *int { return &b.Port }),
		marked("scheme", choice(SchemeHTTP, SchemeHTTPS, SchemeH2C, SchemeH2, SchemeGRPC, SchemeGRPCS), func(b *backendDraft) (*Scheme, **yaml.Node) { return &b.Scheme, &b.scheme }),
		{name: "tls", below: namesOf(endpointTLSKeys), read: readEndpointTLS},
		value("proxy_protocol", choice(ProxyV1, ProxyV2), func(b *backendDraft) *string { return &b.ProxyProtocol }),
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
		since := d.unknown
		present := mapping(d, item, "a backend", backendKeys, &backend)
		if _, ok := present["name"]; !ok {
			d.missing(item, since, "`name` of this backend", "such as `name: orders`; routes refer to it")
		}
		backend.checkEndpoints(d, item, since, present)
		backend.checkSwitches(d, since, present)
		backend.checkScheme(d, present)
		into.backends = append(into.backends, backend)
	}
}

// checkEndpoints finds backends that say nothing of where they are.
func (b *backendDraft) checkEndpoints(d *decoder, item *yaml.Node, since int, present map[string]entry) {
	labels, hasLabels := present["match_labels"]
	endpoints, hasEndpoints := present["endpoints"]
	if hasEndpoints && !isEmpty(endpoints.value) {
		return
	}
	switch {
	case !hasLabels:
		what := "`match_labels` of this backend"
		if b.Name != "" {
			what = "`match_labels` of backend " + shown(b.Name)
		}
		d.missing(item, since, what, "name the labels of its containers, or give `endpoints: [host:port]`")
	case isEmpty(labels.value):
		d.problem(follow(labels.value), "name at least one label, such as `- app_name=orders`, or give `endpoints`", "`match_labels` is empty: it would match every container")
	}
}

// checkSwitches finds sections that say how but not whether.
func (b *backendDraft) checkSwitches(d *decoder, since int, present map[string]entry) {
	needs := func(section, key, got, hint string) {
		e, ok := present[section]
		if !ok || got != "" || isNull(follow(e.value)) || isFalse(e.value) || d.says(e.value, section, key) {
			return
		}
		d.missing(follow(e.value), since, "`"+key+"` of `"+section+"`", hint)
	}
	e, ok := present["health"]
	byGRPC := ok && !isFalse(e.value) && d.says(e.value, "health", "grpc")
	switch h := b.Traffic.Health; {
	case h.GRPC.Asked && byGRPC && d.says(e.value, "health", "path"):
		d.problem(follow(e.value), "keep `path` for HTTP, or `grpc` for gRPC", "`health` asks for `path` and for `grpc`")
	case !h.On() && !byGRPC:
		needs("health", "path", "", "such as `path: /healthz`, or `grpc: shop.Orders` where gRPC is spoken")
	}
	needs("sticky", "cookie", b.Traffic.Sticky.Cookie, "the name of the cookie, such as `cookie: rgate`")
}

// isEmpty tells whether there is nothing in a list or mapping.
func isEmpty(n *yaml.Node) bool {
	n = follow(n)
	return isNull(n) || n.Kind != yaml.ScalarNode && len(n.Content) == 0
}

// says tells whether the mapping of a section has a key. What is wrong with it is
// reported once more in the same words, and dropped as a repeat.
func (d *decoder) says(n *yaml.Node, section, name string) bool {
	return slices.ContainsFunc(d.entries(n, "`"+section+"`"), func(e entry) bool { return e.key.Value == name })
}
