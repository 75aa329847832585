package trial

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Main runs a program of that name and ends the process: with 1, and a word on
// stderr, where run fails. That help was asked for is no failure.
func Main(name string, run func(args []string, stdout, stderr io.Writer) error) {
	os.Exit(status(name, run(os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

func status(name string, err error, stderr io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintf(stderr, "%s: %v\n", name, err)
	return 1
}

// Parse reads the command line of a program that takes options alone.
func Parse(f *flag.FlagSet, args []string, stderr io.Writer) error {
	f.SetOutput(stderr)
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("cannot use the argument %q", f.Arg(0))
	}
	return nil
}
