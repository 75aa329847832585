package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parse gives the top mapping of the file's one document, or nil after
// reporting why there is none.
func (d *decoder) parse(data []byte) *yaml.Node {
	if len(data) > maxFileBytes {
		d.report(1, 1, 1, fmt.Sprintf("the file is larger than %d KB", maxFileBytes>>10), "no configuration needs that much")
		return nil
	}
	if !d.readable(data) {
		return nil
	}
	root := d.document(data)
	if root == nil || !d.boundAliases(root) {
		return nil
	}
	return root
}

// readable finds bytes that are no text, for which the YAML reader gives no
// line.
func (d *decoder) readable(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		d.report(1, 1, 1, "the file is UTF-16", "save it as UTF-8")
		return false
	}
	for offset := 0; offset < len(data); {
		r, size := utf8.DecodeRune(data[offset:])
		message, hint := "", ""
		switch {
		case r == utf8.RuneError && size <= 1:
			message, hint = fmt.Sprintf("byte 0x%02x is not UTF-8", data[offset]), "save the file as UTF-8"
		case isControl(r):
			message, hint = fmt.Sprintf("control character U+%04X in the file", r), "remove it; in double quotes it can be written as an escape"
		}
		if message != "" {
			before := splitLines(string(data[:offset]))
			last := before[len(before)-1]
			d.report(len(before), utf8.RuneCountInString(last)+1, 1, message, hint)
			return false
		}
		offset += size
	}
	return true
}

func isControl(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r == 0x85:
		return false
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return true
	}
	return r == 0xfffe || r == 0xffff
}

// document reads the YAML and insists on one document with a mapping in it.
func (d *decoder) document(data []byte) *yaml.Node {
	const example = "rgate.reference.yml shows every key"
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		d.syntaxError(err)
		return nil
	}
	var first, second yaml.Node
	if err := loader.Load(&first); errors.Is(err, io.EOF) {
		d.report(1, 1, 1, "the file is empty", example)
		return nil
	} else if err != nil {
		d.syntaxError(err)
		return nil
	}
	if err := loader.Load(&second); err == nil {
		d.report(second.Line, second.Column, 3, "a second YAML document begins here", "the configuration is one document: remove the `---`")
		return nil
	} else if !errors.Is(err, io.EOF) {
		d.syntaxError(err)
		return nil
	}
	if len(first.Content) != 1 || isNull(first.Content[0]) {
		d.report(1, 1, 1, "the file is empty", example)
		return nil
	}
	return first.Content[0]
}

// plainWords are the YAML reader's complaints as a person would put them.
var plainWords = []struct{ yaml, message, hint string }{
	{"mapping values are not allowed", "a `key:` cannot stand here", "check the indentation, and quote text that contains `: `"},
	{"did not find expected ',' or ']'", "the list in [brackets] is not closed", "end it with `]`, and put `,` between its items"},
	{"did not find expected ',' or '}'", "the mapping in {braces} is not closed", "end it with `}`, put `,` between its items, and quote any ${VARIABLE} inside"},
	{"did not find expected '-' indicator", "this does not belong to the list above", "begin the line with `- `, or align it with the keys outside the list"},
	{"did not find expected key", "this is not indented like the keys above", "align it with them"},
	{"could not find expected ':'", "there is no `:` on this line", "write `key: value`"},
	{"found unexpected end of stream", "the quote that begins here is not closed", "end the text with the same quote"},
	{"did not find expected alphabetic or numeric", "`*` and `&` begin the name of an anchor", "put the value in quotes"},
	{"control characters are not allowed", "a control character in the file", "remove it"},
	{"did not find expected node content", "a value is missing or cannot begin like this", "quote text that begins with one of `%@&*!|>{}[],#?-` or a backquote"},
}

// syntaxError reports what the YAML reader stumbled over. It stops at the
// first, so this is the only problem of its file.
func (d *decoder) syntaxError(err error) {
	var failure *yaml.LoadError
	if !errors.As(err, &failure) {
		d.report(1, 1, 1, "the file is not YAML: "+err.Error(), "")
		return
	}
	line, column := failure.Mark.Line, failure.Mark.Column
	message, hint := "this is not YAML: "+failure.Message, ""
	for _, words := range plainWords {
		if strings.Contains(failure.Message, words.yaml) {
			message, hint = words.message, words.hint
			break
		}
	}
	switch {
	case strings.HasPrefix(failure.Message, "unknown anchor"):
		message, hint = strings.Replace(failure.Message, "unknown anchor", "no anchor", 1), "define it before with `&name`, or quote text that begins with `*`"
		message = strings.TrimSuffix(message, " referenced") + " above"
	case strings.HasPrefix(failure.Message, "found character that cannot start any token"):
		message, hint = "this character cannot begin a value", "put the value in quotes"
		if strings.HasPrefix(d.rest(line, column), "\t") {
			message, hint = "a tab cannot indent YAML", "use spaces"
		}
	case failure.ContextMark.Line > 0 && (strings.Contains(failure.Message, "unexpected end of stream") || strings.Contains(failure.Message, "could not find expected ':'")):
		line, column = failure.ContextMark.Line, failure.ContextMark.Column // where it began says more than where it failed
	}
	if opened := failure.ContextMark; opened.Line > 0 && opened.Line < line && strings.Contains(message, "is not closed") {
		message += fmt.Sprintf(": it began on line %d", opened.Line)
	}
	d.report(line, column, 1, message, hint)
}
