package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// grid is a table of text: names to the left, figures to the right. A row with
// one cell alone is a line between.
type grid [][]string

func (g grid) print(w io.Writer) {
	var widths []int
	for _, row := range g {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if len(row) > 1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	for _, row := range g {
		if len(row) == 1 {
			fmt.Fprintln(w, row[0])
			continue
		}
		for i, cell := range row {
			fill := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				fmt.Fprint(w, "  ", cell, fill)
			} else {
				fmt.Fprint(w, "  ", fill, cell)
			}
		}
		fmt.Fprintln(w)
	}
}
