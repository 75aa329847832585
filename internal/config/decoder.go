package config

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// decoder walks the nodes of one file and collects what is wrong with them.
// It goes on after a problem, so that all of them come at once.
type decoder struct {
	file     string
	lines    []string // without their ends
	env      func(string) (string, bool)
	names    names // every key there is
	problems []Problem
	unlisted int // problems above maxProblems
	guesses  int // how many more names may be compared with others
	unknown  int // unknown keys so far: any of them may be a missing one misspelt

	open  func(path string) Named // reads a file that is named
	named map[string]Named        // those that were
}

// maxProblems is how many problems of a file are listed. Nobody mends more in
// one go, and a hostile file could have one per byte.
const maxProblems = 1000

// guessBudget bounds the comparisons for "did you mean": a file of ten
// thousand wrong names would otherwise take seconds.
const guessBudget = 200_000

func newDecoder(file string, data []byte, env func(string) (string, bool)) *decoder {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	if len(data) > maxFileBytes {
		data = nil // it is refused; no need to cut it into lines
	}
	return &decoder{file: file, lines: splitLines(string(data)), env: env, names: namesOf(topKeys), guesses: guessBudget, open: openNamed, named: map[string]Named{}}
}

// splitLines cuts where YAML does, so that the line numbers of both agree.
func splitLines(text string) []string {
	text = strings.TrimPrefix(text, "\ufeff")
	ends := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")
	return strings.Split(ends.Replace(text), "\n")
}

// report adds a problem at a place, which is forced into the file.
func (d *decoder) report(line, column, span int, message, hint string) {
	if len(d.problems) == maxProblems {
		d.unlisted++
		return
	}
	p := d.at(line, column, span)
	p.Message, p.Hint = message, hint
	d.problems = append(d.problems, p)
}

// at is a place in the file.
func (d *decoder) at(line, column, span int) Problem {
	line = max(1, min(line, len(d.lines)))
	source := d.lines[line-1]
	column = max(1, min(column, utf8.RuneCountInString(source)+1))
	return Problem{File: d.file, Line: line, Column: column, Source: source, Span: max(1, span)}
}

// place is where a node is.
func (d *decoder) place(n *yaml.Node) Problem { return d.at(n.Line, n.Column, d.span(n)) }

// problem reports what is wrong with a node.
func (d *decoder) problem(n *yaml.Node, hint, format string, args ...any) {
	if len(d.problems) == maxProblems {
		d.unlisted++
		return
	}
	if typographic(n) {
		hint = "the quotes are part of the text: YAML knows only straight ones, `\"` and `'`"
	}
	d.report(n.Line, n.Column, d.span(n), fmt.Sprintf(format, args...), hint)
}

// typographic tells whether a value is in quotes that a word processor made of
// straight ones.
func typographic(n *yaml.Node) bool {
	first, _ := utf8.DecodeRuneInString(n.Value)
	return n.Kind == yaml.ScalarNode && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 && strings.ContainsRune("“”„‘’‚«»", first)
}

// span is how many characters of its first line a node takes.
func (d *decoder) span(n *yaml.Node) int {
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 && n.Content[0].Line == n.Line && n.Content[0].Column == n.Column {
		return d.span(n.Content[0])
	}
	if n.Kind != yaml.ScalarNode {
		return 1
	}
	rest := d.rest(n.Line, n.Column)
	if rest == "" {
		return 1
	}
	if quote := rest[:1]; quote == `"` || quote == "'" {
		if end := strings.Index(rest[1:], quote); end >= 0 {
			return utf8.RuneCountInString(rest[:end+2])
		}
	}
	if strings.HasPrefix(rest, "*") { // an alias, whose value is elsewhere
		return utf8.RuneCountInString(strings.FieldsFunc(rest, isAliasEnd)[0])
	}
	length := utf8.RuneCountInString(n.Value)
	return max(1, min(length, utf8.RuneCountInString(strings.TrimRight(rest, " \t"))))
}

func isAliasEnd(r rune) bool { return strings.ContainsRune(" \t,]}", r) }

// rest is a line from a column on, as far as anyone looks.
func (d *decoder) rest(line, column int) string {
	if line < 1 || line > len(d.lines) {
		return ""
	}
	const longest = 1000
	start, end, at := -1, len(d.lines[line-1]), 0
	for i := range d.lines[line-1] {
		at++
		switch at {
		case column:
			start = i
		case column + longest:
			end = i
		}
		if start >= 0 && end == i {
			break
		}
	}
	if start < 0 {
		return ""
	}
	return d.lines[line-1][start:end]
}

// failure is the error of the file, or nil.
func (d *decoder) failure() error {
	if len(d.problems) == 0 {
		return nil
	}
	list := sorted(d.problems)
	if d.unlisted > 0 {
		rest := list[len(list)-1] // where the listed ones end
		rest.Message, rest.Hint = fmt.Sprintf("%d more problems are not listed", d.unlisted), "mend these first"
		list = append(list, rest)
	}
	return &Problems{List: list}
}

// guess is nearest within the budget.
func (d *decoder) guess(name string, candidates []string) string {
	if d.guesses < len(candidates) {
		return ""
	}
	d.guesses -= len(candidates)
	return Nearest(name, candidates)
}

// follow is the node an alias stands for. Scalars keep the alias's place,
// since that is where a wrong value was written.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.AliasNode {
		return n
	}
	target := n.Alias
	if target.Kind == yaml.ScalarNode {
		moved := *target
		moved.Line, moved.Column = n.Line, n.Column
		return &moved
	}
	return target
}

// kindOf says in plain words what a node is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// shown is a name or value as messages quote it, short and on one line.
func shown(s string) string {
	const longest = 60
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return utf8.RuneError
		}
		return r
	}, s)
	if runes := []rune(clean); len(runes) > longest {
		clean = string(runes[:longest]) + "…"
	}
	return "`" + clean + "`"
}
