package config

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// Policy is one thing that routes demand of requests, or change on them. Exactly
// one of its kinds is set.
type Policy struct {
	Name string // "" for one that stands on its route
	Line int    // where it begins in the file, from 1

	IP            *IP
	APIKey        *APIKey
	Prefix        *Prefix
	Headers       *HeaderRules
	SecureHeaders bool
	Redirect      *Redirect
	Respond       *Respond
}

// policyDraft is a Policy while it is read.
type policyDraft struct {
	Policy
	name *yaml.Node
	who  []calledNode // consumers and tags that it asks for
}

// policyKinds are what a policy can be.
var policyKinds = []key[policyDraft]{
	policyKind("ip", ipKeys, func(p *policyDraft) **IP { return &p.IP }),
	{name: "api_key", below: namesOf(apiKeyKeys), read: readAPIKey},
	{name: "strip_prefix", read: readStripPrefix},
	{name: "add_prefix", read: readAddPrefix},
	{name: "headers", below: namesOf(headerRulesKeys), read: readHeaderRules},
	value("secure_headers", boolean, func(p *policyDraft) *bool { return &p.SecureHeaders }),
	{name: "redirect", below: namesOf(redirectKeys), read: readRedirect},
	{name: "respond", below: namesOf(respondKeys), read: readRespond},
}

// shortKinds are the policies that can stand on a route by their own key. The
// others are items of its `policies`: its `headers` are what it asks for.
var shortKinds = []string{"ip", "api_key", "strip_prefix", "add_prefix", "secure_headers", "redirect", "respond"}

// answering are the kinds that answer by themselves, so that a route needs no
// backend.
func (p *Policy) answers() bool { return p.Redirect != nil || p.Respond != nil }

func policyKind[S any](name string, keys []key[S], at func(*policyDraft) **S) key[policyDraft] {
	return key[policyDraft]{name: name, below: namesOf(keys), read: func(d *decoder, n *yaml.Node, into *policyDraft) {
		s := new(S)
		mapping(d, n, "`"+name+"`", keys, s)
		*at(into) = s
	}}
}

// shortKeys are the keys of a route that are policies.
func shortKeys() []key[routeDraft] {
	var all []key[routeDraft]
	for _, name := range shortKinds {
		for _, kind := range policyKinds {
			if kind.name != name {
				continue
			}
			all = append(all, key[routeDraft]{name: name, below: kind.below, read: func(d *decoder, n *yaml.Node, r *routeDraft) {
				p := policyDraft{Policy: Policy{Line: n.Line}}
				kind.read(d, n, &p)
				r.own = append(r.own, policyItem{policy: &p.Policy, node: n, who: p.who})
			}})
		}
	}
	return all
}

// policyItem is an item of a list of policies: one that stands there, or the name
// of one.
type policyItem struct {
	policy *Policy // nil for a name
	name   string
	node   *yaml.Node
	who    []calledNode
}

// policyItems reads such a list.
func policyItems(d *decoder, n *yaml.Node, name string) []policyItem {
	var all []policyItem
	for _, item := range d.items(n, name) {
		if item.Kind == yaml.ScalarNode {
			if s, ok := d.scalar(name, item); ok {
				if called, ok := text(checkPolicyName)(d, s); ok {
					all = append(all, policyItem{name: called, node: s.node})
				}
			}
			continue
		}
		if p, ok := readPolicy(d, item, nil); ok {
			all = append(all, policyItem{policy: &p.Policy, node: item, who: p.who})
		}
	}
	return all
}

// nameKey is the key of a policy that others refer to.
var nameKey = marked("name", text(checkPolicyName), func(p *policyDraft) (*string, **yaml.Node) { return &p.Name, &p.name })

// readPolicy reads a policy, which is of one kind; false where it is not.
func readPolicy(d *decoder, n *yaml.Node, more []key[policyDraft]) (policyDraft, bool) {
	p := policyDraft{Policy: Policy{Line: n.Line}}
	since, problems := d.unknown, len(d.problems)
	present := mapping(d, n, "a policy", append(more, policyKinds...), &p)
	var kinds []string
	for _, kind := range policyKinds {
		if _, ok := present[kind.name]; ok {
			kinds = append(kinds, "`"+kind.name+"`")
		}
	}
	switch {
	case len(kinds) == 0:
		d.missing(n, since, "what this policy does", "such as `ip: {allow: [10.0.0.0/8]}`; a policy is one of "+strings.Join(allKinds(), ", "))
	case len(kinds) > 1:
		d.problem(n, "make a policy of each", "a policy is one thing, not %s", strings.Join(kinds, " and "))
	}
	return p, len(kinds) == 1 && len(d.problems) == problems
}

func allKinds() []string {
	var all []string
	for _, kind := range policyKinds {
		all = append(all, "`"+kind.name+"`")
	}
	return all
}

func readPolicies(d *decoder, n *yaml.Node, into *draft) {
	if into.policies == nil {
		into.policies = map[string]*Policy{}
	}
	for _, item := range d.items(n, "policies") {
		p, _ := readPolicy(d, item, []key[policyDraft]{nameKey}) // one that is wrong is known by its name all the same
		into.who = append(into.who, p.who...)
		if p.name == nil {
			if item.Kind == yaml.MappingNode {
				d.problem(item, "routes call it by its name: add one, such as `name: partners`", "this policy has no name")
			}
			continue
		}
		into.policyNames = append(into.policyNames, p.Name)
		if first := into.policies[p.Name]; first != nil {
			d.problem(p.name, "give one of them another name, or remove it", "policy %s is defined twice, first on line %d", shown(p.Name), first.Line)
			continue
		}
		into.policies[p.Name] = &p.Policy
	}
}

func checkPolicyName(name string) (message, hint string) {
	switch {
	case name == "":
		return "a policy's name cannot be empty", "such as `partners`"
	case hasControl(name):
		return "a policy's name is one line of text", ""
	case strings.TrimSpace(name) != name:
		return "a policy's name cannot begin or end with a space", "write " + shown(strings.TrimSpace(name))
	}
	return "", ""
}

// resolvePolicies finds the policies of a route: those of all routes, unless it
// wants its own alone, and then its own.
func (c *draft) resolvePolicies(d *decoder, r *routeDraft) {
	items := r.own
	if !r.only {
		items = append(append([]policyItem(nil), c.defaults...), r.own...)
	}
	checkStripped(d, r, items)
	var answer *Policy
	for _, item := range items {
		p := item.policy
		if p == nil {
			if p = c.policies[item.name]; p == nil {
				hint := "define it under `policies:`"
				if near := d.guess(item.name, c.policyNames); near != "" {
					hint = "did you mean `" + near + "`?"
				}
				r.unsure = true
				if !c.reported[item.node] {
					d.problem(item.node, hint, "no policy is named %s", shown(item.name))
					c.reported[item.node] = true
				}
				continue
			}
		}
		if p.answers() && answer != nil {
			d.problem(item.node, "keep one of them", "a route answers in one way: there is another on line %d", answer.Line)
		} else if p.answers() {
			answer = p
		}
		r.Policies = append(r.Policies, p)
	}
	switch {
	case answer != nil && r.backend != nil:
		d.problem(r.backend, "remove one of them", "the route answers by itself, on line %d, and never asks a backend", answer.Line)
	case answer == nil && !r.led && !r.unsure:
		d.missing(r.item, d.unknown, "`backend` of this route", "name one of the backends, such as `backend: orders`; or have rgate answer, by `redirect` or `respond`")
	}
}

// defaultsKeys are what all routes have.
var defaultsKeys = []key[draft]{
	{name: "policies", below: namesOf(policyKinds), read: func(d *decoder, n *yaml.Node, into *draft) { into.defaults = policyItems(d, n, "policies") }},
}
