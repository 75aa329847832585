package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rgate/internal/config"
)

// nearestCommand is the command below cmd that name was probably meant to be,
// or "". Cobra's own suggestions come in no order of nearness.
func nearestCommand(cmd *cobra.Command, name string) string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return config.Nearest(name, names)
}

// nearestFlag is the flag of cmd that name was probably meant to be, or "".
func nearestFlag(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return config.Nearest(name, names)
}
