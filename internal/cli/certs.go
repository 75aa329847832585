package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rgate/internal/admin"
)

func newCerts(p Process) *cobra.Command {
	var c client
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "certs",
		Short: "List the certificates of a running gateway",
		Long: `List the certificates of a running gateway: their names, where each is from (a
file, ACME, or rgate's own authority), who signed it, when it expires and is to
be replaced, and what went wrong with it the last time.`,
		Example: "  rgate certs\n  rgate certs --json\n  rgate certs renew shop.example.com",
		Args:    certsArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := c.ask(cmd.Context(), http.MethodGet, "/certs")
			if err != nil {
				return err
			}
			var list []admin.CertEntry
			if err := decode(body, &list); err != nil {
				return err
			}
			if asJSON {
				return p.json(list)
			}
			return p.printCerts(list)
		},
	}
	c.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(newCertsRenew(p))
	return cmd
}

func certsArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s has no command %q: there is `%s renew`", cmd.CommandPath(), args[0], cmd.CommandPath())}
	}
	return nil
}

func newCertsRenew(p Process) *cobra.Command {
	c := client{patience: 3 * time.Minute}
	cmd := &cobra.Command{
		Use:   "renew NAME",
		Short: "Have a certificate by ACME replaced now",
		Long: `Have a certificate by ACME replaced now, whatever its age and however many tries
have failed: after the cause is mended, or when a key may be known to others. The
one before is served until then.`,
		Example: "  rgate certs renew shop.example.com",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("%s takes the name of one certificate", cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := c.ask(cmd.Context(), http.MethodPost, "/certs/renew?name="+url.QueryEscape(args[0])); err != nil {
				return errors.New("cannot renew " + args[0] + ": " + err.Error())
			}
			err := say(p.Stdout, "%s: renewed\n", args[0])
			return err
		},
	}
	c.flags(cmd)
	return cmd
}

func (p Process) printCerts(list []admin.CertEntry) error {
	w := p.columns()
	_ = say(w, "NAMES\tFROM\tISSUER\tEXPIRES\tRENEWAL\tSTATE\n")
	for _, c := range list {
		state, well := "ready", true
		switch {
		case c.NotAfter == nil:
			state, well = "none yet", false
		case c.NotAfter.Before(time.Now()):
			state, well = "expired", false
		}
		if c.Error != "" {
			state, well = state+": "+c.Error, false
		}
		_ = say(w, "%s\t%s\t%s\t%s\t%s\t%s\n", strings.Join(c.Names, " "), cmp.Or(c.File, c.Kind), cmp.Or(c.Issuer, "-"), moment(c.NotAfter), moment(c.Renewal), p.paint(state, well))
	}
	return w.Flush()
}

func moment(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.UTC().Format("2006-01-02 15:04")
}
