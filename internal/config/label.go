package config

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// readLabels takes labels as a list of key=value, key alone, or mappings, or
// as one mapping. In a mapping, a key without a value stands for any value.
func readLabels(d *decoder, n *yaml.Node) []Label {
	const name = "match_labels"
	l := labelList{d: d, seen: map[string]int{}}
	n = follow(n)
	switch {
	case n.Kind == yaml.MappingNode:
		l.mapping(n)
	case n.Kind == yaml.ScalarNode && !isNull(n):
		d.problem(n, "write a list: `["+n.Value+"]`", "`%s` must be a list or a mapping, not %s", name, kindOf(n))
	default:
		for _, item := range d.items(n, name) {
			if item.Kind == yaml.MappingNode {
				l.mapping(item)
			} else if s, ok := d.scalar(name, item); ok {
				key, value, hasValue := strings.Cut(s.text, "=")
				l.add(item, Label{Key: key, Value: value, AnyValue: !hasValue})
			}
		}
	}
	return l.labels
}

type labelList struct {
	d      *decoder
	labels []Label
	seen   map[string]int // key → line
}

func (l *labelList) mapping(n *yaml.Node) {
	for _, e := range l.d.entries(n, "`match_labels`") {
		value := follow(e.value)
		if isNull(value) {
			l.add(e.key, Label{Key: e.key.Value, AnyValue: true})
		} else if s, ok := l.d.scalar(e.key.Value, value); ok {
			l.add(e.key, Label{Key: e.key.Value, Value: s.text}) // true and 3000 are text here, as in Docker
		}
	}
}

func (l *labelList) add(n *yaml.Node, label Label) {
	line, twice := l.seen[label.Key]
	switch {
	case strings.TrimSpace(label.Key) == "":
		l.d.problem(n, "write `key=value`, or `key` alone for any value", "a label without a key")
	case strings.TrimSpace(label.Key) != label.Key:
		l.d.problem(n, "write `"+strings.TrimSpace(label.Key)+"=…` without spaces around the `=`", "a label's key cannot begin or end with a space")
	case twice:
		l.d.problem(n, "a container has one value per label: keep one", "label %s is listed twice, first on line %d", shown(label.Key), line)
	default:
		l.seen[label.Key] = n.Line
		l.labels = append(l.labels, label)
	}
}
