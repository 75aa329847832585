package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"rgate/internal/admin"
	"rgate/internal/config"
	"rgate/internal/discovery"
	"rgate/internal/docker"
	"rgate/internal/names"
	"rgate/internal/route"
)

// surveyTime bounds how long a command waits for the engine.
const surveyTime = 15 * time.Second

func newRoutes(p Process) *cobra.Command {
	var c client
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "routes",
		Short: "Show the table: routes, backends and their endpoints",
		Long: `Show the table: routes, backends, and each container that is an endpoint or was
left out, with the reason. It is the table of the running gateway, or with -c,
and where none runs, what the file and the engine make of it now.`,
		Example: "  rgate routes\n  rgate routes -c staging.yml\n  rgate routes --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, live, err := p.table(cmd.Context(), &c, file, cmd.Flags().Changed("config"))
			if err != nil {
				return err
			}
			if asJSON {
				return p.json(d)
			}
			if !live {
				_ = say(p.Stdout, "compiled from %s now, not asked of a running gateway\n\n", file)
			}
			return p.printRoutes(d)
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVarP(&file, "config", "c", "config.yml", "configuration file to compile instead of asking a gateway")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// table is the running gateway's table (live), or the one that the file makes.
func (p Process) table(ctx context.Context, c *client, file string, fileGiven bool) (d admin.Routes, live bool, err error) {
	if !fileGiven || c.socket != "" {
		body, err := c.ask(ctx, http.MethodGet, "/routes")
		if err == nil {
			err = decode(body, &d) // first: the order within a return is not defined
			return d, true, err
		}
		if !errors.Is(err, errNotRunning) || c.socket != "" {
			return d, true, err
		}
	}
	cfg, err := p.load(file)
	if !fileGiven && errors.Is(err, os.ErrNotExist) {
		return d, false, fmt.Errorf("no gateway answers on %s, and there is no %s to compile instead: name a gateway with --port, or a file with --config", c.path(), file)
	}
	if err != nil {
		return d, false, err
	}
	views := survey(ctx, cfg)
	// What does not carry the labels is of no interest here.
	for i, view := range views {
		views[i].Candidates = slices.DeleteFunc(view.Candidates, func(c discovery.Candidate) bool { return c.Foreign })
	}
	return admin.Describe(route.Build(cfg, views, nil)), false, nil
}

// survey looks once at what cfg's endpoints may be.
func survey(ctx context.Context, cfg *config.Config) []discovery.View {
	source := names.New(slog.New(slog.DiscardHandler), nil)
	source.Select(route.Names(cfg))
	return []discovery.View{surveyEngine(ctx, cfg), source.Survey(ctx)}
}

// surveyEngine looks at all containers of the engine that cfg names.
func surveyEngine(ctx context.Context, cfg *config.Config) discovery.View {
	view := discovery.View{Source: "docker"}
	selectors := route.Selectors(cfg)
	if len(selectors) == 0 {
		return view
	}
	engine, err := docker.Open(docker.Options{Host: cfg.Docker.Host, TLS: docker.TLS(cfg.Docker.TLS), Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		bounded, cancel := context.WithTimeout(ctx, surveyTime)
		defer cancel()
		view.Candidates, err = engine.Survey(bounded, selectors)
	}
	if err != nil {
		view.Stale = err.Error()
	}
	return view
}

func (p Process) printRoutes(d admin.Routes) error {
	if d.Stale != "" {
		_ = say(p.Stdout, "%s\n\n", p.paint("not all is known of the endpoints: "+d.Stale, false))
	}
	if len(d.Drained) > 0 {
		_ = say(p.Stdout, "drained by hand, until undrained: %s\n\n", fmt.Sprintf("%q", d.Drained))
	}
	if n := d.Log.Dropped + d.Log.Lost; n > 0 {
		_ = say(p.Stdout, "%s\n\n", p.paint(fmt.Sprintf("%d records are missing from the log: its reader does not keep up, or is gone", n), false))
	}
	w := p.columns()
	_ = say(w, "ROUTE\tMATCH\tBACKEND\n")
	for _, r := range d.Routes {
		_ = say(w, "%s\t%s\t%s\n", cmp.Or(r.Route, r.PathPrefix), r.Match, cmp.Or(r.Backend, noBackend))
	}
	_ = say(w, "\n")
	_ = say(w, "BACKEND\tENDPOINT\tADDRESS\tSTATE\n")
	for _, b := range d.Backends {
		p.printBackend(w, b)
	}
	return w.Flush()
}

// noBackend stands for the backend of a route that answers by itself.
const noBackend = "-"

func (p Process) printBackend(w io.Writer, b admin.BackendEntry) {
	name := spoken(b.Backend, b.Scheme)
	if len(b.Endpoints)+len(b.LeftOut) == 0 {
		_ = say(w, "%s\t-\t-\t%s\n", name, p.paint("no endpoint: requests get 503", false))
	}
	for _, e := range b.Endpoints {
		note := ""
		if e.Note != "" {
			note = " (" + e.Note + ")"
		}
		_ = say(w, "%s\t%s\t%s\t%s%s\n", name, e.Name, e.Address, p.paint(e.State, e.State == "ready"), note)
	}
	for _, c := range b.LeftOut {
		_ = say(w, "%s\t%s\t-\t%s\n", name, c.Name, p.paint("left out: "+c.Reason, false))
	}
}
