package handover

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program is what a successor is started from.
type Program struct {
	Path   string   // of the executable
	Args   []string // the name it goes by first
	Stderr *os.File // is its stderr once it has started
	// Echo gets what it says until then; nil for Stderr.
	Echo io.Writer
	// Speak is given the line to the successor as soon as that has started, and
	// closes it when there is no more to say. What is written on it the
	// successor hears by Listen. It must not wait. Nil says nothing.
	Speak func(line *os.File)
	// Heed gets each line that the successor says once it is ready, and nil when
	// it has no more to say. Nil is for who does not listen.
	Heed func(text []byte)
}

// Self is the program that runs now, by the name it was started with: what
// that name stands for when the time comes is what runs then, be it a new file
// or a link that points elsewhere. It is to be called before anything changes.
func Self() *Program {
	running, err := os.Executable()
	if err != nil {
		running = os.Args[0]
	}
	return &Program{Path: named(os.Args[0], running), Args: os.Args, Stderr: os.Stderr}
}

// named is the absolute path that name meant when the executable at running
// was started, or else running.
func named(name, running string) string {
	running = strings.TrimSuffix(running, " (deleted)")
	path, err := exec.LookPath(name)
	if err != nil {
		return running
	}
	if path, err = filepath.Abs(path); err != nil {
		return running
	}
	if at, err := os.Stat(path); err == nil {
		// A name that means another file is none to go by.
		if is, err := os.Stat(running); err == nil && !os.SameFile(at, is) {
			return running
		}
	}
	return path
}
