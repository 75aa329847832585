package route

import (
	"bytes"
	"strings"
)

// tree is a radix tree over path prefixes. A match costs the length of the
// path, however many routes there are.
type tree struct {
	label    string
	firsts   []byte // first byte of each child's label
	children []*tree
	route    *Route
}

func (t *tree) insert(prefix string, r *Route) {
	if prefix == "" {
		t.route = r
		return
	}
	i := bytes.IndexByte(t.firsts, prefix[0])
	if i < 0 {
		t.firsts = append(t.firsts, prefix[0])
		t.children = append(t.children, &tree{label: prefix, route: r})
		return
	}
	child := t.children[i]
	n := commonLength(child.label, prefix)
	if n < len(child.label) {
		rest := *child
		rest.label = child.label[n:]
		*child = tree{label: child.label[:n], firsts: []byte{rest.label[0]}, children: []*tree{&rest}}
	}
	child.insert(prefix[n:], r)
}

func commonLength(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// each calls f with every route whose prefix path begins with, shortest first.
func (t *tree) each(path []byte, f func(*Route)) {
	for at := 0; ; {
		if t.route != nil {
			f(t.route)
		}
		if t = t.next(path, at); t == nil {
			return
		}
		at += len(t.label)
	}
}

// match returns the route of the longest prefix that takes path.
func (t *tree) match(path []byte) *Route {
	var best *Route
	for at := 0; ; {
		if t.route != nil && t.route.takes(path) {
			best = t.route
		}
		if t = t.next(path, at); t == nil {
			return best
		}
		at += len(t.label)
	}
}

// next is the child that path goes on with at byte at, or nil.
func (t *tree) next(path []byte, at int) *tree {
	if at >= len(path) {
		return nil
	}
	i := bytes.IndexByte(t.firsts, path[at])
	if i < 0 {
		return nil
	}
	child := t.children[i]
	if len(path)-at < len(child.label) || string(path[at:at+len(child.label)]) != child.label {
		return nil
	}
	return child
}

// takes tells whether r wants a path that begins with its prefix.
func (r *Route) takes(path []byte) bool {
	return !r.segment || len(path) == len(r.Prefix) || path[len(r.Prefix)] == '/' || strings.HasSuffix(r.Prefix, "/")
}
