package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a file, and where.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // from 1
	Column  int    `json:"column"` // from 1, in characters
	Source  string `json:"source"` // the offending line
	Span    int    `json:"span"`   // how many characters of it are meant, at least 1
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what would be right; "" where nothing can be said

	Warning bool `json:"warning,omitempty"` // the file can be used all the same
}

// String is the problem on one line: file:line:column: message (hint).
func (p Problem) String() string {
	return p.Place() + ": " + p.Text()
}

// Place is where the problem is: file:line:column.
func (p Problem) Place() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Text is what is wrong and what would be right.
func (p Problem) Text() string {
	if p.Hint == "" {
		return p.Message
	}
	return p.Message + " (" + p.Hint + ")"
}

// Problems is the error of a file: everything that is wrong with it, in the
// order of the file.
type Problems struct {
	List []Problem
}

// Error lists the problems, one a line.
func (p *Problems) Error() string {
	lines := make([]string, len(p.List))
	for i, problem := range p.List {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Sorted puts problems of one file in its order, and drops repeats.
func Sorted(list []Problem) []Problem { return sorted(slices.Clone(list)) }

// sorted puts problems in the order of the file and drops repeats, which
// anchors cause: what is wrong in one place is wrong wherever it is used.
func sorted(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return slices.CompactFunc(list, func(a, b Problem) bool {
		return a.Line == b.Line && a.Column == b.Column && a.Message == b.Message
	})
}
