package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rgate/internal/config"
	"rgate/internal/gateway"
	"rgate/internal/link"
	"rgate/internal/listen"
)

func newCheck(p Process) *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with a configuration file",
		Long: `Say what is wrong with a configuration file: every problem at once, each with
its place and what would be right. Certificates are looked at too. Warnings are of
what can be used all the same, such as a host that no certificate is for; in JSON
they have "warning": true. Exit code 2 where there are problems, else 0.`,
		Example: "  rgate check\n  rgate check -c staging.yml",
		Args:    checkArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.check(file)
			if err != nil {
				return err
			}
			if asJSON {
				return p.checkedJSON(file, c)
			}
			warn(p, c.warnings)
			if c.problems != nil {
				return &config.Problems{List: c.problems}
			}
			more := ""
			if n := len(c.config.Listeners); n > 0 {
				more = fmt.Sprintf(", %s beside the first", count(n, "listener"))
			}
			return say(p.Stdout, "%s is fine: %s, %s%s\n", file, count(len(c.config.Routes), "route"), count(len(c.config.Backends), "backend"), more)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "config.yml", "configuration file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print problems and warnings as JSON")
	return cmd
}

// checked is what was found in a file.
type checked struct {
	config             *config.Config // nil where there are problems
	problems, warnings []config.Problem
}

// check looks at a file, and at the certificates that it names, even where the
// rest of it is wrong.
func (p Process) check(file string) (c checked, err error) {
	text, err := config.Read(file)
	if err != nil {
		return c, usageError{err}
	}
	cfg, err := config.Parse(file, text, p.Env)
	var found *config.Problems
	listeners := []config.Listener(nil)
	if errors.As(err, &found) {
		c.problems, listeners = found.List, config.Listeners(file, text, p.Env)
	} else {
		c.config, listeners = cfg, cfg.Listeners
	}
	secured, warnings, err := listen.Check(listeners)
	c.warnings = warnings
	if errors.As(err, &found) {
		c.problems = append(c.problems, found.List...)
	} else if c.config != nil {
		c.warnings = append(c.warnings, listen.Uncovered(c.config, secured, gateway.Vouches)...)
		c.warnings = append(c.warnings, listen.Unprovable(c.config, c.config.Listen)...)
	}
	if c.config != nil {
		warnings, err = link.Check(c.config)
		c.warnings = append(c.warnings, warnings...)
		if errors.As(err, &found) {
			c.problems = append(c.problems, found.List...)
		}
	}
	c.problems, c.warnings = config.Sorted(c.problems), config.Sorted(c.warnings)
	return c, nil
}

// checkedJSON prints problems and warnings, which say that they are some.
func (p Process) checkedJSON(file string, c checked) error {
	text, err := json.Marshal(config.Sorted(append(append([]config.Problem{}, c.problems...), c.warnings...)))
	if err == nil {
		err = say(p.Stdout, "%s\n", ink(plainJSON(text)))
	}
	if err == nil && len(c.problems) > 0 {
		err = usageError{fmt.Errorf("%s has %s", file, count(len(c.problems), "problem"))}
	}
	return err
}

// warn prints what is not as it should be though it can be used.
func warn(p Process, warnings []config.Problem) {
	for _, w := range warnings {
		_ = say(p.Stderr, "warning: %s\n", w.String()) // there is nobody to tell that it failed
	}
}

// checkArgs refuses an argument, which can only be meant as the file.
func checkArgs(cmd *cobra.Command, args []string) error {
	err := noArgs(cmd, args)
	if err != nil {
		return usageError{fmt.Errorf("%w; did you mean `--config %s`?", err, args[0])}
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
