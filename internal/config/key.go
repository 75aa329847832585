package config

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// key is one key of a mapping that fills a T. The tables of keys are data, so
// that tests can hold the schema and the reference file to them.
type key[T any] struct {
	name  string
	below names // keys of the mapping, or of each mapping of the list, under it
	read  func(d *decoder, n *yaml.Node, into *T)
}

// names is a tree of keys.
type names map[string]names

func namesOf[T any](keys []key[T]) names {
	tree := make(names, len(keys))
	for _, k := range keys {
		tree[k.name] = k.below
	}
	return tree
}

// home is where in the tree a name belongs, as "`docker` or `listeners`": the
// places that are nearest to its root, or "".
func (t names) home(name string) string {
	level := []names{t}
	for len(level) > 0 {
		var places []string
		var below []names
		for _, tree := range level {
			for _, parent := range slices.Sorted(maps.Keys(tree)) {
				if _, ok := tree[parent][name]; ok {
					places = append(places, "`"+parent+"`")
				}
				below = append(below, tree[parent])
			}
		}
		if places != nil {
			slices.Sort(places)
			return strings.Join(slices.Compact(places), " or ")
		}
		level = below
	}
	return ""
}

// value is a key with one scalar.
func value[T, V any](name string, read reader[V], at func(*T) *V) key[T] {
	return key[T]{name: name, read: func(d *decoder, n *yaml.Node, into *T) {
		if s, ok := d.scalar(name, n); ok {
			if v, ok := read(d, s); ok {
				*at(into) = v
			}
		}
	}}
}

// values is a key with a list of scalars.
func values[T, V any](name string, read reader[V], at func(*T) *[]V) key[T] {
	return key[T]{name: name, read: func(d *decoder, n *yaml.Node, into *T) {
		for _, item := range d.items(n, name) {
			if s, ok := d.scalar(name, item); ok {
				if v, ok := read(d, s); ok {
					*at(into) = append(*at(into), v)
				}
			}
		}
	}}
}

// section is a key with a mapping below it.
func section[T, S any](name string, keys []key[S], at func(*T) *S) key[T] {
	return key[T]{name: name, below: namesOf(keys), read: func(d *decoder, n *yaml.Node, into *T) {
		mapping(d, n, "`"+name+"`", keys, at(into))
	}}
}

// mapping reads n into a T by its keys, in the order of the table, and gives
// the keys that were there.
func mapping[T any](d *decoder, n *yaml.Node, what string, keys []key[T], into *T) map[string]entry {
	list := d.entries(n, what)
	byName := make(map[string]entry, len(list))
	known := make([]string, len(keys))
	for i, k := range keys {
		known[i] = k.name
	}
	for _, e := range list {
		if slices.Contains(known, e.key.Value) {
			byName[e.key.Value] = e
		} else {
			d.unknownKey(e.key, what, known, namesOf(keys))
		}
	}
	for _, k := range keys {
		if e, ok := byName[k.name]; ok {
			k.read(d, e.value, into)
		}
	}
	return byName
}

func (d *decoder) unknownKey(n *yaml.Node, what string, known []string, here names) {
	d.unknown++
	hint, below := "", here.home(n.Value)
	if near := d.guess(n.Value, known); near != "" && "`"+near+"`" != below { // cert is no slip for certificates, but a key below
		hint = "did you mean `" + near + "`?"
	} else if below != "" {
		hint = "it belongs under " + below
	} else if place := d.names.home(n.Value); place != "" {
		hint = "it belongs under " + place
	} else if _, top := d.names[n.Value]; top {
		hint = "it belongs at the top level"
	} else {
		hint = "known here: " + strings.Join(known, ", ")
	}
	d.problem(n, hint, "unknown key %s in %s", shown(n.Value), what)
}

// entry is one key of a mapping as it was written.
type entry struct{ key, value *yaml.Node }

// entries gives a mapping's keys and values, merge keys resolved, and reports
// keys that are there twice. Where n is nothing at all it is taken for empty:
// a section whose keys are all commented out.
func (d *decoder) entries(n *yaml.Node, what string) []entry {
	n = follow(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode || !d.plainTag(n) {
		if n.Kind != yaml.MappingNode {
			d.problem(n, "write its keys below it, indented", "%s must be a mapping, not %s", what, kindOf(n))
		}
		return nil
	}
	var list []entry
	var merged []*yaml.Node
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := follow(n.Content[i])
		switch {
		case name.Kind != yaml.ScalarNode:
			d.problem(name, "write `key: value`, and quote text that begins with `{` or `[`", "a key of %s must be text, not %s", what, kindOf(name))
		case name.Tag == "!!merge":
			merged = append(merged, n.Content[i+1])
		case seen[name.Value] != nil:
			d.problem(name, "keep one of them", "key %s is given twice, first on line %d", shown(name.Value), seen[name.Value].Line)
		default:
			seen[name.Value] = name
			list = append(list, entry{name, n.Content[i+1]})
		}
	}
	for _, source := range merged {
		list = d.merge(list, seen, source, what)
	}
	return list
}

// merge adds the entries of `<<: *anchor` or `<<: [*one, *two]` that are not
// there yet.
func (d *decoder) merge(list []entry, seen map[string]*yaml.Node, source *yaml.Node, what string) []entry {
	source = follow(source)
	sources := []*yaml.Node{source}
	if source.Kind == yaml.SequenceNode {
		sources = source.Content
	}
	for _, s := range sources {
		for _, e := range d.entries(s, "what `<<` merges into "+what) {
			if seen[e.key.Value] == nil {
				seen[e.key.Value] = e.key
				list = append(list, e)
			}
		}
	}
	return list
}

// items gives the items of a list; nothing at all is an empty one.
func (d *decoder) items(n *yaml.Node, name string) []*yaml.Node {
	n = follow(n)
	switch {
	case isNull(n):
		return nil
	case n.Kind != yaml.SequenceNode:
		d.problem(n, "begin each item with `- `, or put them in brackets", "`%s` must be a list, not %s", name, kindOf(n))
		return nil
	case !d.plainTag(n):
		return nil
	}
	items := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		items[i] = follow(item)
	}
	return items
}

// plainTag refuses tags of which rgate would have to guess the meaning.
func (d *decoder) plainTag(n *yaml.Node) bool {
	switch n.Tag {
	case "!!map", "!!seq", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!merge", "!!timestamp", "":
		return true
	}
	d.problem(n, "leave it out", "the tag %s means nothing here", shown(n.Tag))
	return false
}

// missing reports a key that a mapping needs, unless something was unknown
// there since: that is then the missing one, misspelt.
func (d *decoder) missing(n *yaml.Node, since int, what, hint string) {
	if n.Kind == yaml.MappingNode && d.unknown == since || isNull(n) {
		d.problem(n, hint, "%s is missing", what)
	}
}
