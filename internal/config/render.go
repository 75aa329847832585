package config

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// sourceWidth is how much of a very long line is shown.
const sourceWidth = 120

// Render draws each problem with the offending line, carets underneath and the
// hint. Only with colour are escape sequences written.
func (p *Problems) Render(w io.Writer, colour bool) error {
	var b strings.Builder
	ink := func(code, s string) string {
		if !colour {
			return s
		}
		return "\x1b[" + code + "m" + s + "\x1b[0m"
	}
	for i, problem := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		problem.draw(&b, ink)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p Problem) draw(b *strings.Builder, ink func(code, s string) string) {
	const bold, red, blue, green = "1", "1;31", "34", "32"
	place := fmt.Sprintf("%s:%d:%d:", p.File, p.Line, p.Column)
	fmt.Fprintf(b, "%s %s\n", ink(bold, place), ink(red, p.Message))

	source, column, span := p.window()
	number := strconv.Itoa(p.Line)
	gutter := strings.Repeat(" ", len(number))
	bar := ink(blue, "|")
	fmt.Fprintf(b, " %s %s %s\n", ink(blue, number), bar, source)
	fmt.Fprintf(b, " %s %s %s%s\n", gutter, bar, strings.Repeat(" ", column-1), ink(red, strings.Repeat("^", span)))
	if p.Hint != "" {
		fmt.Fprintf(b, " %s %s %s\n", gutter, ink(blue, "="), ink(green, p.Hint))
	}
}

// window is the part of the source line to show, safe for a terminal, with the
// column and span within it.
func (p Problem) window() (source string, column, span int) {
	runes := []rune(p.Source)
	for i, r := range runes {
		switch {
		case r == '\t':
			runes[i] = ' ' // so that the caret stands under its character
		case !unicode.IsPrint(r):
			runes[i] = unicode.ReplacementChar
		}
	}
	column = max(1, min(p.Column, len(runes)+1))
	start := 0
	if column > sourceWidth/2 && len(runes) > sourceWidth {
		start = min(column-sourceWidth/2, len(runes)-sourceWidth/2)
	}
	end := min(len(runes), start+sourceWidth)
	column -= start
	span = max(1, min(p.Span, end-start-column+1))
	return string(runes[start:end]), column, span
}
