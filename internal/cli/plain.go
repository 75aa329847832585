package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Names, label values, reasons and errors come from whoever may start a
// container or answer for an engine. A terminal obeys what it is shown, and
// people believe it, so nothing of that is shown as it is: every command
// prints by say alone, and a test holds the package to it.

// ink is text that may be shown as it is: it holds nothing from outside that
// plain has not seen.
type ink string

// plain is text from outside as a person may be shown it: on one line, and
// without anything that steers a terminal or turns around how it reads.
func plain(s string) string {
	if strings.IndexFunc(s, unsafe) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unsafe(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unsafe are controls, marks of direction and whatever else cannot be seen.
func unsafe(r rune) bool { return !unicode.IsPrint(r) }

// plainLines is plain for what may have several lines. Those after the first
// are indented, so that none can pass for a message of its own.
func plainLines(s string) ink {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, line := range lines {
		lines[i] = plain(strings.ReplaceAll(line, "\t", "    "))
	}
	return ink(strings.Join(lines, "\n  "))
}

// plainJSON is JSON in which what cannot be seen is spelled by escapes. Controls
// within strings are so already.
func plainJSON(text []byte) []byte {
	if bytes.IndexFunc(text, func(r rune) bool { return r >= 0x7f }) < 0 {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(bytes.ToValidUTF8(text, []byte("\uFFFD"))) {
		if r < utf8.RuneSelf && r != 0x7f || !unsafe(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.Bytes()
}

// plainRecords makes plain JSON of the records of a log. The handler for text
// quotes what cannot be seen by itself.
type plainRecords struct{ to io.Writer }

func (p plainRecords) Write(record []byte) (int, error) {
	if _, err := p.to.Write(plainJSON(record)); err != nil {
		return 0, err
	}
	return len(record), nil
}

// say prints what the format makes of args, each of which plain has seen.
func say(w io.Writer, format string, args ...any) error {
	for i, arg := range args {
		switch a := arg.(type) {
		case ink:
		case string:
			args[i] = plain(a)
		default:
			if v := reflect.ValueOf(arg); !v.CanInt() && !v.CanUint() && !v.CanFloat() {
				args[i] = plain(fmt.Sprint(arg))
			}
		}
	}
	_, err := fmt.Fprintf(w, format, args...)
	return err
}

// cells are neighbours in a table.
func cells(texts ...string) ink {
	for i, text := range texts {
		texts[i] = plain(text)
	}
	return ink(strings.Join(texts, "\t"))
}

func (p Process) json(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return say(p.Stdout, "%s\n", ink(plainJSON(text)))
}
