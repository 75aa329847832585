package config

import (
	"net/textproto"
	"strings"

	"go.yaml.in/yaml/v4"
)

// APIKey lets those pass that show a key of a consumer.
type APIKey struct {
	In        string   // InHeader, InQuery or InCookie
	Name      string   // of the header (in canonical form), the query parameter or the cookie
	Consumers []string // names and tags, one of which is the consumer's; empty for any
	Keep      bool     // the endpoint gets the key, too
}

// Where a request has a key.
const (
	InHeader = "header"
	InQuery  = "query"
	InCookie = "cookie"
)

// calledNode is the name of a consumer or tag, and where it stands.
type calledNode struct {
	name string
	node *yaml.Node
}

// apiKeyDraft is an APIKey while it is read.
type apiKeyDraft struct {
	APIKey
	said []*yaml.Node
	who  []calledNode
}

var apiKeyKeys = []key[apiKeyDraft]{
	keyIn(InHeader, checkFieldName),
	keyIn(InQuery, func(name string) (string, string) {
		if name == "" || strings.ContainsAny(name, "%+&=# ") || hasControl(name) {
			return shown(name) + " is no plain name of a query parameter", "such as `query: key`"
		}
		return "", ""
	}),
	keyIn(InCookie, checkToken("a cookie's name")),
	{name: "consumers", read: func(d *decoder, n *yaml.Node, a *apiKeyDraft) { a.who = readWho(d, n, &a.Consumers) }},
	value("keep", boolean, func(a *apiKeyDraft) *bool { return &a.Keep }),
}

// keyIn is a key that says where keys are.
func keyIn(in string, c check) key[apiKeyDraft] {
	return key[apiKeyDraft]{name: in, read: func(d *decoder, n *yaml.Node, a *apiKeyDraft) {
		s, ok := d.scalar(in, n)
		if !ok {
			return
		}
		name, ok := text(c)(d, s)
		if a.said = append(a.said, s.node); !ok {
			return
		}
		if a.In, a.Name = in, name; in == InHeader {
			a.Name = textproto.CanonicalMIMEHeaderKey(name)
		}
	}}
}

// readWho reads a list of consumers' names and tags.
func readWho(d *decoder, n *yaml.Node, into *[]string) []calledNode {
	var all []calledNode
	for _, item := range d.items(n, "consumers") {
		if s, ok := d.scalar("consumers", item); ok {
			if name, ok := text(checkConsumerName)(d, s); ok {
				*into = append(*into, name)
				all = append(all, calledNode{name, s.node})
			}
		}
	}
	return all
}

func readAPIKey(d *decoder, n *yaml.Node, into *policyDraft) {
	a := apiKeyDraft{APIKey: APIKey{In: InHeader, Name: "X-Api-Key"}}
	mapping(d, n, "`api_key`", apiKeyKeys, &a)
	if len(a.said) > 1 {
		d.problem(a.said[1], "keep one of them; a second policy can look at another", "a key is looked for in one place")
	}
	into.APIKey, into.who = &a.APIKey, append(into.who, a.who...)
}
