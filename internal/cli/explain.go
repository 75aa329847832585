package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"rgate/internal/config"
	"rgate/internal/proxy"
	"rgate/internal/route"
)

// explanation is why a request goes where it goes.
type explanation struct {
	Method     string      `json:"method"`
	Path       string      `json:"path"` // as it is matched and forwarded
	Outcome    string      `json:"outcome"`
	Route      string      `json:"route,omitempty"`
	Backend    string      `json:"backend,omitempty"`
	Lost       []lostRoute `json:"lost"`
	Containers []lookedAt  `json:"containers"`
	Stale      string      `json:"stale,omitempty"`
}

type lostRoute struct {
	PathPrefix string `json:"path_prefix"`
	Why        string `json:"why"`
}

type lookedAt struct {
	Name    string `json:"name"`
	Taken   bool   `json:"taken"`
	Address string `json:"address,omitempty"`
	Why     string `json:"why"`
}

func newExplain(p Process) *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain [METHOD] URL-OR-PATH",
		Short: "Say where a request would go, and why",
		Long: `Say where a request would go, and why: which route takes it and which lost,
which backend, and each container looked at with why it was taken or left out.
Nothing is sent anywhere but questions to the engine.`,
		Example: "  rgate explain /api/payment/7\n  rgate explain POST http://localhost:8080/api/orders?id=3",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usageError{errors.New("explain takes a URL or path, and a method before it if you like: rgate explain GET /api/orders")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.load(file)
			if err != nil {
				return err
			}
			method, target := "GET", args[len(args)-1]
			if len(args) == 2 {
				method = strings.ToUpper(args[0])
			}
			e, err := explain(cmd.Context(), cfg, method, target)
			if err != nil {
				return err
			}
			if asJSON {
				return p.json(e)
			}
			return p.printExplanation(e)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "config.yml", "configuration file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// rawPath cuts the path, as it would be sent, out of a URL or path.
func rawPath(target string) (string, error) {
	if _, rest, absolute := strings.Cut(target, "://"); absolute {
		if _, err := url.Parse(target); err != nil {
			return "", usageError{fmt.Errorf("%q is no URL: %w", target, err)}
		}
		at := strings.IndexAny(rest, "/?#")
		target = "/"
		if at >= 0 && rest[at] == '/' {
			target = rest[at:]
		}
	}
	if at := strings.IndexAny(target, "?#"); at >= 0 {
		target = target[:at]
	}
	if !strings.HasPrefix(target, "/") {
		return "", usageError{fmt.Errorf("%q is neither a URL nor a path: a path begins with /", target)}
	}
	return target, nil
}

func explain(ctx context.Context, cfg *config.Config, method, target string) (explanation, error) {
	e := explanation{Method: method, Path: target, Lost: []lostRoute{}, Containers: []lookedAt{}}
	raw, err := rawPath(target)
	if err != nil {
		return e, err
	}
	path, err := proxy.Normalize(nil, []byte(raw))
	if err != nil {
		e.Path, e.Outcome = raw, "400: "+err.Error()
		return e, nil
	}
	e.Path = string(path)
	if cfg.Stats.Path == e.Path {
		e.Outcome = "the statistics page answers, before any route"
		return e, nil
	}
	table := route.Build(cfg, survey(ctx, cfg), nil)
	e.Stale = table.Stale()
	taker := table.Match(&route.Request{Path: path})
	e.Lost = lost(table, path, taker)
	if taker == nil {
		e.Outcome = fmt.Sprintf("%d: no route takes it, so default_response answers", cfg.DefaultResponse.StatusCode)
		return e, nil
	}
	e.Route = taker.Prefix
	e.look(taker.Targets[0].Backend) // the file names one
	return e, nil
}

// look lists the endpoints of b and what was left out.
func (e *explanation) look(b *route.Backend) {
	e.Backend = b.Name
	switch n := len(b.Endpoints); n {
	case 0:
		e.Outcome = "503: no endpoint of the backend can take it"
	case 1:
		e.Outcome = "goes to " + b.Endpoints[0].Address
	default:
		e.Outcome = fmt.Sprintf("goes to one of %d endpoints (balance: %s)", n, b.Balance)
	}
	for _, ep := range b.Endpoints {
		why := "carries all labels and accepts connections"
		switch _, _, err := net.SplitHostPort(ep.ID); {
		case ep.ID == "":
			why = "listed under endpoints in the file"
		case err == nil:
			why = "an address of " + ep.ID + ", which is listed under endpoints in the file"
		}
		if note := b.Notes[ep]; note != "" {
			why += "; " + note
		}
		e.Containers = append(e.Containers, lookedAt{Name: ep.Name, Taken: true, Address: ep.Address, Why: why})
	}
	for _, c := range b.LeftOut {
		e.Containers = append(e.Containers, lookedAt{Name: c.Name, Address: c.Address, Why: c.Reason})
	}
}

// lost says of each other route why it does not take path.
func lost(t *route.Table, path []byte, taker *route.Route) []lostRoute {
	all := []lostRoute{}
	begins := map[*route.Route]bool{}
	for _, r := range t.Prefixes(path) {
		begins[r] = true
	}
	for _, r := range t.Routes {
		switch {
		case r == taker:
		case !begins[r]:
			all = append(all, lostRoute{r.Prefix, "the path does not begin with it"})
		case !r.Takes(path):
			all = append(all, lostRoute{r.Prefix, "match: segment, and the path goes on within the segment"})
		default:
			all = append(all, lostRoute{r.Prefix, "shorter than " + taker.Prefix})
		}
	}
	return all
}

// mostLost bounds the losing routes that a person is shown.
const mostLost = 20

func (p Process) printExplanation(e explanation) error {
	_ = say(p.Stdout, "%s %s\n", e.Method, e.Path)
	if e.Route != "" {
		_ = say(p.Stdout, "  route    %s (the longest prefix that takes it)\n  backend  %s\n", e.Route, e.Backend)
	}
	_ = say(p.Stdout, "  outcome  %s\n", e.Outcome)
	if e.Stale != "" {
		_ = say(p.Stdout, "  %s\n", p.paint("not all is known of the endpoints: "+e.Stale, false))
	}
	w := p.columns()
	if len(e.Containers) > 0 {
		_ = say(w, "\nlooked at:\n")
	}
	for _, c := range e.Containers {
		mark := p.paint("left out", false)
		if c.Taken {
			mark = p.paint("taken", true)
		}
		_ = say(w, "  %s\t%s\t%s\t%s\n", c.Name, mark, c.Address, c.Why)
	}
	if len(e.Lost) > 0 {
		_ = say(w, "\nroutes that lost:\n")
	}
	for i, r := range e.Lost {
		if i == mostLost {
			_ = say(w, "  and %d more\n", len(e.Lost)-i)
			break
		}
		_ = say(w, "  %s\t%s\n", r.PathPrefix, r.Why)
	}
	return w.Flush()
}
