package config

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// expand puts in what ${VAR} and ${VAR:-default} stand for; $${ is a plain
// ${. It works on one value after YAML has been read, so no variable can
// change the structure of the file. As in a shell, the default also stands in
// for a variable that is empty.
func (d *decoder) expand(n *yaml.Node) (text string, expanded, ok bool) {
	if !strings.Contains(n.Value, "${") {
		return n.Value, false, true
	}
	var b strings.Builder
	ok = true
	for rest := n.Value; rest != ""; {
		start := strings.Index(rest, "${")
		if start < 0 {
			b.WriteString(rest)
			break
		}
		if start > 0 && rest[start-1] == '$' {
			b.WriteString(rest[:start-1] + "${")
			rest = rest[start+2:]
			continue
		}
		b.WriteString(rest[:start])
		rest = rest[start:]
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			d.inside(n, rest, "`${` is not closed", "write `${NAME}`; `$${` gives a plain `${`")
			return "", false, false
		}
		found, valid := d.variable(n, rest[:end+1])
		b.WriteString(found)
		ok, expanded = ok && valid, true
		rest = rest[end+1:]
	}
	return b.String(), expanded, ok
}

// variable is the value of one reference such as ${NAME:-default}.
func (d *decoder) variable(n *yaml.Node, reference string) (string, bool) {
	name, fallback, hasFallback := strings.Cut(reference[2:len(reference)-1], ":-")
	switch {
	case !isVariable(name):
		d.inside(n, reference, shown(reference)+" names no variable", "write `${NAME}` or `${NAME:-default}`, with letters, digits and `_`; `$${` gives a plain `${`")
		return "", false
	case strings.Contains(fallback, "${"):
		d.inside(n, reference, "a default cannot hold another `${`", "set "+name+", or write the value out")
		return "", false
	}
	found, set := d.env(name)
	switch {
	case hasFallback && found == "":
		return fallback, true
	case !set:
		d.inside(n, reference, "the environment variable "+name+" is not set", fmt.Sprintf("set it, or give a default: `${%s:-value}`", name))
		return "", false
	case !utf8.ValidString(found):
		d.inside(n, reference, "the environment variable "+name+" is not UTF-8", "")
		return "", false
	}
	return found, true
}

func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// inside reports a part of a value at its own place, where that can be told:
// in a value of several lines or with escapes it may not stand as it reads.
func (d *decoder) inside(n *yaml.Node, part, message, hint string) {
	if len(d.problems) == maxProblems {
		d.unlisted++
		return
	}
	line := d.rest(n.Line, n.Column)
	if at := strings.Index(line, part); at >= 0 {
		d.report(n.Line, n.Column+utf8.RuneCountInString(line[:at]), utf8.RuneCountInString(part), message, hint)
		return
	}
	d.problem(n, hint, "%s", message)
}
