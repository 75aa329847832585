package config

import (
	"net/textproto"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Condition is what a route asks of one header or query parameter: this very
// value, or with AnyValue that it is there.
type Condition struct {
	Name     string // a header's in canonical form; a parameter's as it reads once decoded
	Value    string
	AnyValue bool
}

// excludes tells whether no request can hold both conditions. A name has one
// value in a request: of a header all its lines together, of a parameter the
// first.
func (c Condition) excludes(other Condition) bool {
	return c.Name == other.Name && !c.AnyValue && !other.AnyValue && c.Value != other.Value
}

// readMethod reads a method that a route takes.
func readMethod(d *decoder, s scalar) (string, bool) { return text(checkMethod)(d, s) }

func checkMethod(method string) (message, hint string) {
	if message, hint = checkToken("a method")(method); message != "" {
		return message, hint
	}
	switch upper := strings.ToUpper(method); {
	case method != upper:
		return "a method is written in upper case, as requests have it", "write " + shown(upper)
	case method == "CONNECT":
		return "rgate carries no CONNECT: a route never gets one", "leave it out"
	}
	return "", ""
}

// readConditions reads a mapping of names to values, `true` for any.
func readConditions(d *decoder, n *yaml.Node, what string, name func(string) (string, check)) []Condition {
	var all []Condition
	lines := map[string]int{}
	for _, e := range d.entries(n, "`"+what+"`") {
		proper, check := name(e.key.Value)
		if message, hint := check(e.key.Value); message != "" {
			d.problem(e.key, hint, "%s", message)
			continue
		}
		if line, twice := lines[proper]; twice {
			d.problem(e.key, "keep one of them", "%s is given twice in `%s`, first on line %d", shown(proper), what, line)
			continue
		}
		lines[proper] = e.key.Line
		c := Condition{Name: proper}
		if d.readCondition(what, e, &c) {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b Condition) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (d *decoder) readCondition(what string, e entry, c *Condition) bool {
	n := follow(e.value)
	const hint = "write the value, in quotes where it is `false` or nothing; or `true` for any value"
	if isNull(n) {
		d.problem(n, hint, "%s in `%s` has no value", shown(e.key.Value), what)
		return false
	}
	if n.Kind == yaml.MappingNode && (e.key.Value == "request" || e.key.Value == "response") {
		d.problem(n, "to change them write `policies: [{headers: {"+e.key.Value+": …}}]`", "`headers` of a route are those that it asks for")
		return false
	}
	s, ok := d.scalar(e.key.Value, n)
	if !ok {
		return false
	}
	if n.Tag == "!!bool" {
		c.AnyValue = strings.EqualFold(s.text, "true")
		if !c.AnyValue {
			d.problem(n, hint, "a route cannot ask for %s to be absent", shown(e.key.Value))
		}
		return c.AnyValue
	}
	if c.Value = s.text; what == "headers" && (hasControl(s.text) || strings.TrimSpace(s.text) != s.text) {
		d.problem(n, "one line, without spaces around it", "no header has this value: its lines are compared without the white space around them")
		return false
	}
	return true
}

// headerName is for the names under `headers`.
func headerName(name string) (string, check) {
	return textproto.CanonicalMIMEHeaderKey(name), func(name string) (message, hint string) {
		if strings.EqualFold(name, "Host") {
			return "the host is asked for with `hosts`", "write `hosts: [shop.example.com]`"
		}
		return checkToken("a header's name")(name)
	}
}

// parameterName is for the names under `query`.
func parameterName(name string) (string, check) {
	return name, func(name string) (message, hint string) {
		if name == "" {
			return "a query parameter has a name", "such as `debug: true`"
		}
		return "", ""
	}
}
