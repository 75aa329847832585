package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// draft is a Config while it is read, with the nodes that checks across the
// file point at.
type draft struct {
	Config
	listen    *yaml.Node
	listeners []listenerDraft
	routes    []routeDraft
	backends  []backendDraft

	consumers  []consumerDraft
	known      map[string]bool // names and tags of consumers
	knownNames []string
	who        []calledNode // that policies ask for

	policies    map[string]*Policy // by name
	policyNames []string
	defaults    []policyItem
	reported    map[*yaml.Node]bool // names of defaults that were found to be none
}

// topKeys are the keys of the file. They are read in this order, whatever
// theirs in the file, so that backends find the traffic keys they inherit.
var topKeys = slices.Concat(
	trafficKeys(func(c *draft) *Traffic { return &c.Traffic }),
	[]key[draft]{
		marked("listen", text(checkListen), func(c *draft) (*string, **yaml.Node) { return &c.Listen, &c.listen }),
		{name: "listeners", below: namesOf(listenerKeys), read: readListeners},
		value("engine", choice(EngineAuto, EngineLoop, EngineStandard), func(c *draft) *string { return &c.Engine }),
		value("half_close", choice(HalfCloseCancel, HalfCloseAnswer), func(c *draft) *string { return &c.HalfClose }),
		value("reason_header", boolean, func(c *draft) *bool { return &c.ReasonHeader }),
		section("stats", statsKeys, func(c *draft) *Stats { return &c.Stats }),
		section("admin", adminKeys, func(c *draft) *Admin { return &c.Admin }),
		{name: "state_dir", read: readStateDir},
		section("upgrade", upgradeKeys, func(c *draft) *Upgrade { return &c.Upgrade }),
		dockerKey,
		section("timeouts", timeoutKeys, func(c *draft) *Timeouts { return &c.Timeouts }),
		section("limits", limitKeys, func(c *draft) *Limits { return &c.Limits }),
		values("trusted_proxies", readNetwork, trustedProxies),
		{name: "default_response", below: namesOf(responseKeys), read: readResponse},
		{name: "consumers", below: namesOf(consumerKeys), read: readConsumers},
		{name: "policies", below: namesOf(append(policyKinds, nameKey)), read: readPolicies},
		section("defaults", defaultsKeys, func(c *draft) *draft { return c }),
		{name: "backends", below: namesOf(backendKeys), read: readBackends},
		{name: "routes", below: namesOf(routeKeys), read: readRoutes},
	},
)

// resolve checks what no single key can know, and completes the Config.
func (c *draft) resolve(d *decoder) {
	c.resolveListeners(d)
	c.Backends = make([]Backend, 0, len(c.backends))
	backends := make(map[string]int, len(c.backends)) // name → line
	known := make([]string, 0, len(c.backends))
	for _, b := range c.backends {
		c.Backends = append(c.Backends, b.Backend)
		if b.Name == "" {
			continue // already reported
		}
		if line, ok := backends[b.Name]; ok {
			d.problem(b.name, "give one of them another name, or remove it", "backend %s is defined twice, first on line %d", shown(b.Name), line)
			continue
		}
		backends[b.Name] = b.name.Line
		known = append(known, b.Name)
	}
	c.Routes = make([]Route, 0, len(c.routes))
	places := places{d: d, at: make(map[place][]*routeDraft, len(c.routes)), methods: map[string]bool{}, query: map[string]bool{}}
	c.reported = map[*yaml.Node]bool{}
	for i := range c.routes {
		r := &c.routes[i]
		c.resolvePolicies(d, r)
		c.Routes = append(c.Routes, r.Route)
		places.add(r)
		if _, ok := backends[r.Backend]; !ok && r.Backend != "" {
			d.problem(r.backend, d.backendHint(r.Backend, known), "no backend is named %s", shown(r.Backend))
		}
	}
	c.checkNames(d)
	c.resolveConsumers(d)
}

// backendHint says which backend a route may have meant.
func (d *decoder) backendHint(name string, known []string) string {
	const listed = 5
	if near := d.guess(name, known); near != "" {
		return "did you mean `" + near + "`?"
	}
	switch {
	case len(known) == 0:
		return "the file defines no backends: add it under `backends:`"
	case len(known) > listed:
		return fmt.Sprintf("there are %s and %d more", strings.Join(known[:listed], ", "), len(known)-listed)
	}
	return "there are: " + strings.Join(known, ", ")
}

// responseKeys are the keys of default_response.
var responseKeys = []key[Response]{
	value("body", text(), func(r *Response) *string { return &r.Body }),
	value("status_code", integer(200, 599), func(r *Response) *int { return &r.StatusCode }),
	value("content_type", text(checkContentType), func(r *Response) *string { return &r.ContentType }),
}

// readResponse takes default_response as a mapping, or as a list of mappings
// that is the same mapping cut in pieces.
func readResponse(d *decoder, n *yaml.Node, into *draft) {
	const name = "default_response"
	whole := follow(n)
	if whole.Kind == yaml.SequenceNode {
		joined := *whole
		joined.Kind, joined.Tag, joined.Content = yaml.MappingNode, "!!map", nil
		for _, item := range d.items(n, name) {
			if item.Kind != yaml.MappingNode {
				d.problem(item, "write `- body: …` and `- status_code: …`", "an item of `%s` must be a mapping, not %s", name, kindOf(item))
				continue
			}
			joined.Content = append(joined.Content, item.Content...)
		}
		whole = &joined
	}
	present := mapping(d, whole, "`"+name+"`", responseKeys, &into.DefaultResponse)
	answer := &into.DefaultResponse
	if answer.StatusCode != 204 && answer.StatusCode != 205 && answer.StatusCode != 304 {
		return
	}
	if body, ok := present["body"]; ok && answer.Body != "" {
		d.problem(follow(body.value), "leave out the body, or choose another status code", "an answer with status code %d has no body", answer.StatusCode)
	} else {
		answer.Body = ""
	}
}
