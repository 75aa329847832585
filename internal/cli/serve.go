package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"rgate/internal/config"
	"rgate/internal/gateway"
	"rgate/internal/handover"
)

type serveFlags struct {
	port      int
	listen    string
	file      string
	debug     bool
	logFormat string
	logLevel  string
}

func newServe(p Process) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve traffic by a configuration file",
		Long: `Serve traffic by a configuration file. The same as rgate without a command.

SIGHUP, and any change of the file's content, reload it; a bad file keeps the
running configuration. SIGUSR2 puts the program that is at rgate's path by then
in its place, without a gap, as rgate upgrade does. SIGINT and SIGTERM end: what
is in flight is answered first, within drain_timeout. A second signal ends at
once.`,
		Example: "  rgate serve --port 8080 --config config.yml\n  rgate serve --listen 127.0.0.1:9000 --log-format json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLog(p.Stderr, f)
			if err != nil {
				return err
			}
			defer outliveReaders()()
			defer log.journal.Close()
			p.Stderr = log.journal
			if err := serve(cmd.Context(), p, f, cmd.Flags().Changed("port"), log); err != nil {
				return reported{p.report(err)} // by the journal, while it is open
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&f.port, "port", "p", 8080, "port to receive traffic on, on all addresses")
	flags.StringVarP(&f.file, "config", "c", "config.yml", "configuration file")
	flags.StringVar(&f.listen, "listen", "", "address to receive traffic on, such as 127.0.0.1:8080 (instead of --port)")
	flags.BoolVar(&f.debug, "debug", false, "log everything, failed attempts too (the same as --log-level debug)")
	flags.StringVar(&f.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	_ = cmd.MarkFlagFilename("config", "yml", "yaml") // the flag exists
	return cmd
}

func serve(ctx context.Context, p Process, f serveFlags, portGiven bool, log *logging) error {
	program := handover.Self()
	program.Echo = log.journal
	inherited, err := handover.Inherit()
	if err != nil {
		return usageError{err}
	}
	defer inherited.Close()
	if err := checkPort(f.port); err != nil {
		return err
	}
	if err := config.CheckListen(f.listen); err != nil {
		return usageError{fmt.Errorf("--listen: %w", err)}
	}
	cfg, err := p.load(f.file)
	if err != nil {
		return err
	}
	if portGiven && f.listen == "" && cfg.Listen != "" { // it may have been meant to keep others out
		log.Warn("--port beats listen of the file: traffic comes in on every address", "port", f.port, "listen", cfg.Listen)
	}
	// Signals first: one that comes while the gateway is made must not kill it.
	orders := newOrders(ctx)
	defer orders.stop()
	g, err := gateway.New(gateway.Options{
		File: f.file, Config: cfg, Listen: address(f, cfg, portGiven), Log: log.Logger, Unlogged: log.missing, Env: p.Env,
		Inherited: inherited, Program: program, Supervisor: handover.NewSupervisor(log.Logger),
	})
	if errors.Is(err, gateway.ErrSocket) || errors.Is(err, gateway.ErrDocker) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	obeying := make(chan struct{})
	go func() { defer close(obeying); orders.obey(g) }()
	defer func() { orders.stop(); <-obeying }()
	return g.Run(orders.life)
}

func checkPort(port int) error {
	if port < 0 || port > 65535 {
		return usageError{fmt.Errorf("--port %d is no port: it must be between 0 and 65535", port)}
	}
	return nil
}

// address is where traffic comes in: flags beat the file. "" is nowhere in
// particular.
func address(f serveFlags, cfg *config.Config, portGiven bool) string {
	switch {
	case f.listen != "":
		return f.listen
	case portGiven:
		return ":" + strconv.Itoa(f.port)
	}
	return cfg.Listen
}
