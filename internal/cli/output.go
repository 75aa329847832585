package cli

import (
	"io"
	"os"
	"text/tabwriter"

	"rgate/internal/journal"
)

// isTerminal tells whether w is a terminal.
func isTerminal(w io.Writer) bool {
	if j, ok := w.(*journal.Journal); ok {
		w = j.Out()
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// colour tells whether w gets colours: terminals do, unless NO_COLOR is set
// (no-color.org).
func (p Process) colour(w io.Writer) bool {
	no, set := p.Env("NO_COLOR")
	return isTerminal(w) && (!set || no == "")
}

// paint is text in green or red where w gets colours.
func (p Process) paint(text string, good bool) ink {
	safe := ink(plain(text))
	switch {
	case !p.colour(p.Stdout):
		return safe
	case good:
		return "\x1b[32m" + safe + "\x1b[0m"
	}
	return "\x1b[31m" + safe + "\x1b[0m"
}

func (p Process) columns() *tabwriter.Writer { return tabwriter.NewWriter(p.Stdout, 0, 4, 2, ' ', 0) }
