package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newRoot is the whole command tree. rgate without a command serves.
func newRoot(p Process) *cobra.Command {
	root := newServe(p)
	root.Use = "rgate"
	root.Short = "An HTTP gateway for the containers you already run"
	root.Long = `rgate receives HTTP traffic and sends it to containers, by one YAML file.

A route says what a request must be like (its host, path, method and more) and
names the backend that gets it. Every running container that carries all labels
of a backend is an endpoint of it; containers need no label made for rgate.
Without a command, rgate serves.`
	root.Example = `  rgate --port 8080 --config config.yml
  rgate check
  rgate explain GET /api/payment/7`
	root.SilenceUsage, root.SilenceErrors = true, true
	root.Args = unknownCommand
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newServe(p), newCheck(p), newRoutes(p), newExplain(p), newStats(p), newReload(p), newUpgrade(p), newCA(p), newCerts(p), newKey(p),
		newHold(p, "drain"), newHold(p, "undrain"), newSchema(p), newVersion(p), newDemo(p), newDemoBackend(),
	)
	if p.Stdout != nil {
		root.SetOut(p.Stdout) // which the completion command takes as it is made
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help": // cobra's own prints help and exits 0 whatever it is asked
			c.Args = func(_ *cobra.Command, args []string) error {
				if found, _, _ := root.Find(args); found == root {
					return unknownCommand(root, args)
				}
				return nil
			}
		case "completion":
			c.Args = unknownCommand
			c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
	return root
}

// unknownCommand refuses words that are no command, naming the nearest one.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("there is no command %q", args[0])
	if near := nearestCommand(cmd, args[0]); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return usageError{fmt.Errorf("%s (rgate --help lists the commands)", text)}
}

// flagError adds the nearest flag to a complaint about an unknown one.
func flagError(cmd *cobra.Command, err error) error {
	text := err.Error()
	if name, unknown := strings.CutPrefix(text, "unknown flag: --"); unknown {
		if near := nearestFlag(cmd, name); near != "" {
			text += "; did you mean --" + near + "?"
		} else if c, _, err := cmd.Root().Find([]string{name}); err == nil && c != cmd.Root() {
			text += "; did you mean `" + c.CommandPath() + "`?"
		}
	}
	return usageError{fmt.Errorf("%s (%s --help lists the flags)", text, cmd.CommandPath())}
}

// noArgs refuses arguments in our words and with our exit code.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no arguments, but got %q", cmd.CommandPath(), args[0])}
	}
	return nil
}
