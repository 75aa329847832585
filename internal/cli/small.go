package cli

import (
	"fmt"
	"log/slog"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"rgate/internal/config"
	"rgate/internal/demo"
)

// Set by the linker; see the Makefile.
var version, commit string

func newVersion(p Process) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version, commit and Go version",
		Long:    "Print rgate's version, the commit it was built from, and the Go version that built it.",
		Example: "  rgate version",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			v, c := stamped()
			err := say(p.Stdout, "rgate %s (commit %s, %s)\n", v, c, runtime.Version())
			return err
		},
	}
}

// stamped is the version and commit, from the linker or else from the Go tool.
func stamped() (v, c string) {
	v, c = version, commit
	if info, ok := debug.ReadBuildInfo(); ok {
		if v == "" {
			v = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && c == "" {
				c = s.Value
			}
		}
	}
	if v == "" {
		v = "(unknown)"
	}
	if c == "" {
		c = "(unknown)"
	}
	return v, c
}

func newSchema(p Process) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration file",
		Long: `Print the JSON Schema of the configuration file. Editors complete and check by
it, for instance with a first line of
  # yaml-language-server: $schema=rgate.schema.json`,
		Example: "  rgate schema > rgate.schema.json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := p.Stdout.Write(config.Schema())
			return err
		},
	}
}

func newDemo(p Process) *cobra.Command {
	var port, secure int
	var verbose bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show rgate with four containers of its own making",
		Long: `Show rgate with four containers of its own making: two for payment, two for
orders, with the labels of the example configuration, by HTTP and HTTPS.
Everything it made is removed when it ends. Without a Docker engine the same is
shown in-process.`,
		Example: "  rgate demo\n  rgate demo --port 9000",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Whoever stops reading (rgate demo | head) ends it as Ctrl-C does, so
			// that nothing stays behind.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE)
			defer stop()
			log := slog.New(slog.DiscardHandler)
			if verbose {
				said, err := newLog(p.Stderr, serveFlags{logFormat: "text", logLevel: "info"})
				if err != nil {
					return err
				}
				defer said.journal.Close()
				log = said.Logger
			}
			return demo.Run(ctx, demo.Options{Port: port, TLSPort: secure, Stdout: p.Stdout, Terminal: isTerminal(p.Stdout), Log: log, Plain: plain})
		},
	}
	cmd.Flags().IntVarP(&port, "port", "p", 8080, "port to serve on; a free one where it is taken")
	cmd.Flags().IntVar(&secure, "tls-port", 8443, "port to serve HTTPS on; a free one where it is taken")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "show the gateway's log too")
	return cmd
}

// newDemoBackend is what the demo's containers run.
func newDemoBackend() *cobra.Command {
	var name string
	var port int
	cmd := &cobra.Command{
		Use:    "demo-backend",
		Short:  "Serve as one container of the demo",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return demo.Backend(ctx, name, fmt.Sprintf(":%d", port))
		},
	}
	cmd.Flags().StringVar(&name, "name", "demo", "name to answer with")
	cmd.Flags().IntVar(&port, "port", 3000, "port to listen on")
	return cmd
}
