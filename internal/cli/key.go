package cli

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"
)

func newKey(p Process) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "key",
		Short:   "Make keys for consumers",
		Long:    "Make keys for consumers, whom the policy api_key lets pass. `rgate key new` makes one.",
		Example: "  rgate key new",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("rgate key has no command %q: there is `rgate key new`", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeyNew(p))
	return cmd
}

func newKeyNew(p Process) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a key, and print it once, with its hash",
		Long: `Make a key, and print it once, with its hash. The key is for the consumer; the
hash goes into the configuration, under keys of that consumer, or into a file
that it names there. Nobody can make the key of the hash, so keep no other copy.`,
		Example: "  rgate key new",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			key := "rgk_" + rand.Text() + rand.Text()
			sum := sha256.Sum256([]byte(key))
			hash := "sha256:" + hex.EncodeToString(sum[:])
			if asJSON {
				return p.json(struct {
					Key  string `json:"key"`
					Hash string `json:"hash"`
				}{key, hash})
			}
			return say(p.Stdout, "key   %s\nhash  %s\n", key, hash)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
