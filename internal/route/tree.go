package route

import (
	"bytes"
	"slices"
	"strings"
)

// tree is a radix tree over path prefixes. A match costs the length of the
// path, however many routes there are.
type tree struct {
	label    string
	firsts   []byte // first byte of each child's label
	children []*tree
	route    *Route   // of this prefix, that asks for nothing else
	asking   []*Route // of this prefix, those that ask for most first
}

// place inserts r where requests for its hosts are looked for.
func (t *Table) place(r *Route) {
	t.plain = t.plain && r.asks == 0 && len(r.Hosts) == 0
	if len(r.Hosts) == 0 {
		t.tree.insert(r.Prefix, r)
	}
	for _, host := range r.Hosts {
		if name, wild := strings.CutPrefix(host, "*."); wild {
			treeOf(&t.below, name).insert(r.Prefix, r)
		} else {
			treeOf(&t.hosts, host).insert(r.Prefix, r)
		}
	}
}

func treeOf(all *map[string]*tree, host string) *tree {
	if *all == nil {
		*all = map[string]*tree{}
	}
	t := (*all)[host]
	if t == nil {
		t = &tree{}
		(*all)[host] = t
	}
	return t
}

func (t *tree) insert(prefix string, r *Route) {
	if prefix == "" {
		t.add(r)
		return
	}
	i := bytes.IndexByte(t.firsts, prefix[0])
	if i < 0 {
		t.firsts = append(t.firsts, prefix[0])
		child := &tree{label: prefix}
		child.add(r)
		t.children = append(t.children, child)
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

// add puts r behind those of its prefix that ask for as much as it.
func (t *tree) add(r *Route) {
	if r.asks == 0 {
		t.route = r
		return
	}
	at := len(t.asking)
	for at > 0 && t.asking[at-1].asks < r.asks {
		at--
	}
	t.asking = slices.Insert(t.asking, at, r)
}

func commonLength(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
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
