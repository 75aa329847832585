package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rgate/internal/config"
	"rgate/internal/listen"
)

func newCheck(p Process) *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with a configuration file",
		Long: `Say what is wrong with a configuration file: every problem at once, each with
its place and what would be right. Exit code 0 where all is well, 2 otherwise.`,
		Example: "  rgate check\n  rgate check -c staging.yml",
		Args:    checkArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.load(file)
			if err == nil {
				var warnings []config.Problem
				warnings, err = listen.Check(cfg)
				defer warn(p, warnings)
			}
			var problems *config.Problems
			if asJSON && errors.As(err, &problems) {
				text, err := json.Marshal(problems.List)
				if err == nil {
					err = say(p.Stdout, "%s\n", ink(plainJSON(text)))
				}
				if err != nil {
					return err
				}
				return usageError{fmt.Errorf("%s has %s", file, count(len(problems.List), "problem"))}
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = say(p.Stdout, "[]\n")
				return err
			}
			more := ""
			if n := len(cfg.Listeners); n > 0 {
				more = fmt.Sprintf(", %s beside the first", count(n, "listener"))
			}
			err = say(p.Stdout, "%s is fine: %s, %s%s\n", file, count(len(cfg.Routes), "route"), count(len(cfg.Backends), "backend"), more)
			return err
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "config.yml", "configuration file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the problems as JSON")
	return cmd
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
