package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rgate/internal/config"
)

// nearestFlag is the flag of cmd that name was probably meant to be, or "".
func nearestFlag(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return config.Nearest(name, names)
}
