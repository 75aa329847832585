package config

import (
	"net/url"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Prefix changes where a path begins on its way to an endpoint.
type Prefix struct {
	Strip string // taken off, where the path has it up to a slash or its end; "" for nothing
	Add   string // put in front; "" for nothing
}

// Redirect sends clients elsewhere.
type Redirect struct {
	To     []Piece // the value of Location
	Status int
}

// Respond is an answer of the file's.
type Respond struct {
	Status      int
	Body        string
	ContentType string
}

func readStripPrefix(d *decoder, n *yaml.Node, into *policyDraft) {
	if path, ok := readPrefixPath(d, n, "strip_prefix"); ok {
		into.Prefix = &Prefix{Strip: path}
	}
}

func readAddPrefix(d *decoder, n *yaml.Node, into *policyDraft) {
	if path, ok := readPrefixPath(d, n, "add_prefix"); ok {
		into.Prefix = &Prefix{Add: path}
	}
}

func readPrefixPath(d *decoder, n *yaml.Node, name string) (string, bool) {
	s, ok := d.scalar(name, n)
	if !ok {
		return "", false
	}
	return text(checkPrefixPath)(d, s)
}

// checkPrefixPath is for whole segments of a path.
func checkPrefixPath(path string) (message, hint string) {
	const example = "such as `/api`"
	switch {
	case path == "" || path == "/":
		return "there is nothing in this prefix", example
	case strings.HasSuffix(path, "/"):
		return "this prefix ends at a slash of its own", "write " + shown(strings.TrimRight(path, "/"))
	case strings.ContainsAny(path, "%\\;?") || strings.Contains(path, "//"):
		return "this prefix is not plain: it has one of % \\ ; ? or an empty segment", example
	}
	if message, hint = checkServedPath(path); message != "" {
		return message, hint
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return "this prefix has dot segments", "write it without them"
		}
	}
	return "", ""
}

// checkStripped reports a prefix that stands on a route of whose paths none begins
// with it. Where something is taken off before, or a policy is for several routes,
// that cannot be said.
func checkStripped(d *decoder, r *routeDraft, items []policyItem) {
	for i, item := range items {
		if item.policy == nil || item.policy.Prefix == nil || item.policy.Prefix.Strip == "" {
			if item.policy == nil {
				return
			}
			continue
		}
		strip, prefix := item.policy.Prefix.Strip, r.PathPrefix
		begins := strings.HasPrefix(strip, prefix)
		if r.Match == MatchSegment {
			begins = strip == prefix || strings.HasPrefix(strip, strings.TrimSuffix(prefix, "/")+"/")
		}
		if own := i >= len(items)-len(r.own); own && r.prefix != nil && !begins && prefix != strip && !strings.HasPrefix(prefix, strip+"/") {
			d.problem(item.node, "`strip_prefix` is what the client's path begins with, up to a slash or its end", "no path that begins with %s has %s to be taken off", shown(prefix), shown(strip))
		}
		return
	}
}

var redirectKeys = []key[Redirect]{
	{name: "to", read: readRedirectTo},
	value("status", integer(301, 308), func(r *Redirect) *int { return &r.Status }),
}

func readRedirect(d *decoder, n *yaml.Node, into *policyDraft) {
	r := &Redirect{Status: 308}
	since := d.unknown
	present := mapping(d, n, "`redirect`", redirectKeys, r)
	if _, ok := present["to"]; !ok {
		d.missing(follow(n), since, "`to` of this redirect", "such as `to: \"https://shop.example.com{path}\"`")
	}
	if status, ok := present["status"]; ok && r.Status > 303 && r.Status < 307 {
		d.problem(follow(status.value), "301, 302, 303, 307 or 308", "%d is not a redirect", r.Status)
	}
	into.Redirect = r
}

func readRedirectTo(d *decoder, n *yaml.Node, into *Redirect) {
	s, ok := d.scalar("to", n)
	if !ok {
		return
	}
	to, ok := pieces(d, s)
	if !ok {
		return
	}
	sample := strings.NewReplacer("{path}", "/", "{host}", "h", "{scheme}", "http").Replace(s.text)
	u, err := url.Parse(sample)
	// What begins with the client's path could begin with two slashes, and lead anywhere.
	local := err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(s.text, "/") && !strings.HasPrefix(s.text, "/{")
	away := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	if !local && !away || strings.Contains(s.text, " ") {
		d.problem(s.node, "such as `/new{path}` or `https://shop.example.com{path}`", "%s is no path of this host, and no http or https URL", shown(s.text))
		return
	}
	into.To = to
}

var respondKeys = []key[Respond]{
	value("status", integer(200, 599), func(r *Respond) *int { return &r.Status }),
	value("body", text(), func(r *Respond) *string { return &r.Body }),
	value("content_type", text(checkContentType), func(r *Respond) *string { return &r.ContentType }),
}

func readRespond(d *decoder, n *yaml.Node, into *policyDraft) {
	r := &Respond{Status: 200, ContentType: "text/plain; charset=utf-8"}
	present := mapping(d, n, "`respond`", respondKeys, r)
	if body, ok := present["body"]; ok && r.Body != "" && (r.Status == 204 || r.Status == 205 || r.Status == 304) {
		d.problem(follow(body.value), "leave out the body, or choose another status", "an answer with status %d has no body", r.Status)
	}
	into.Respond = r
}
