package cli

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rgate/internal/config"
	"rgate/internal/proxy"
	"rgate/internal/route"
)

// explanation is why a request goes where it goes.
type explanation struct {
	Method      string      `json:"method"`
	Host        string      `json:"host,omitempty"`
	Listener    string      `json:"listener,omitempty"`    // of a URL: by which it comes in
	Certificate string      `json:"certificate,omitempty"` // and which is served
	Path        string      `json:"path"`                  // as it is matched
	Forwarded   string      `json:"forwarded,omitempty"`   // as the endpoint gets it, where that is another
	Outcome     string      `json:"outcome"`
	Allow       []string    `json:"allow,omitempty"` // the methods by which some route would take it
	Route       string      `json:"route,omitempty"`
	Policies    []string    `json:"policies,omitempty"` // what the route demands
	Backend     string      `json:"backend,omitempty"`
	Scheme      string      `json:"scheme,omitempty"` // what the backend's endpoints speak
	Lost        []lostRoute `json:"lost"`
	Containers  []lookedAt  `json:"containers"`
	Stale       string      `json:"stale,omitempty"`
	why         string      // Route takes it
	route       *route.Route
	demands     bool // some of the policies decide on clients
}

type lostRoute struct {
	Route      string `json:"route"`
	PathPrefix string `json:"path_prefix"`
	Why        string `json:"why"`
	near       route.Near
}

type lookedAt struct {
	Name    string `json:"name"`
	Taken   bool   `json:"taken"`
	Address string `json:"address,omitempty"`
	Why     string `json:"why"`
}

func newExplain(p Process) *cobra.Command {
	var file, host, method, client string
	var headers []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain [METHOD] URL-OR-PATH",
		Short: "Say where a request would go, and why",
		Long: `Say where a request would go, and why: which route takes it and which lost,
what the route demands, which backend, and each container looked at with why it
was taken or left out. Of a URL also by which listener it comes in, which
certificate is served, and whether that answers before any route. Nothing is sent
anywhere but questions to the engine.`,
		Example: "  rgate explain /api/payment/7\n  rgate explain POST http://localhost:8080/api/orders?id=3\n" +
			"  rgate explain /api --host shop.example.com -H 'X-Channel: beta'\n  rgate explain --client 192.0.2.7 /admin\n  rgate explain https://shop.example.com/api",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usageError{errExplainArgs}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.load(file)
			if err != nil {
				return err
			}
			if len(args) == 2 {
				if method != "" {
					return usageError{fmt.Errorf("a method is given twice: %s and --method %s", args[0], method)}
				}
				method = args[0]
			}
			a, err := newAsked(strings.ToUpper(cmp.Or(method, "GET")), args[len(args)-1], host, headers)
			if err != nil {
				return err
			}
			e, err := explain(cmd.Context(), cfg, a)
			switch {
			case err == nil && client != "":
				err = e.judge(a, client)
			case e.demands:
				e.Outcome += ", for a client that its policies let pass (--client says whether one at an address is)"
			}
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
	cmd.Flags().StringVar(&method, "method", "", "method, which can also stand before the URL or path (default GET)")
	cmd.Flags().StringVar(&host, "host", "", "host that is asked for; of a URL it is the URL's")
	cmd.Flags().StringArrayVarP(&headers, "header", "H", nil, "a header of the request, as 'Name: value'; may be repeated")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&client, "client", "", "address of the client, for what the route demands of it")
	return cmd
}

func explain(ctx context.Context, cfg *config.Config, a asked) (explanation, error) {
	e := explanation{Method: a.method, Host: a.host, Path: a.path, Lost: []lostRoute{}, Containers: []lookedAt{}}
	path, err := proxy.Normalize(nil, []byte(a.path))
	if err != nil {
		e.Outcome = "400: " + err.Error()
		return e, nil
	}
	e.Path = string(path)
	in := enter(cfg, &a)
	if e.Listener, e.Certificate, e.Outcome = in.listener, in.certificate, in.outcome; e.Outcome != "" {
		return e, nil
	}
	if cfg.Stats.Path == e.Path {
		e.Outcome = "the statistics page answers, before any route"
		return e, nil
	}
	table, q := route.Build(cfg, survey(ctx, cfg), nil), a.request(path)
	e.Stale = table.Stale()
	taker, others := table.Match(q)
	e.Lost = lost(table, q)
	switch {
	case taker != nil:
		e.Route, e.why = taker.ID, "the longest prefix that takes it"
		if taker.ID != taker.Prefix {
			e.why = "the most specific that takes it"
		}
		e.route = taker
		for _, p := range taker.Policies.All() {
			e.Policies = append(e.Policies, p.String())
		}
		e.demands = len(taker.Policies.Decided()) > 0
		if taker.Policies.Answers() {
			e.demands = len(taker.Policies.Decided()) > 1
			e.Outcome = "rgate answers: " + e.Policies[len(e.Policies)-1]
		} else {
			e.look(taker.Targets[0].Backend) // the file names one
		}
	case others != 0:
		e.Allow = table.MethodNames(others)
		e.Outcome = fmt.Sprintf("405: no route takes %s here, only %s", a.method, strings.Join(e.Allow, ", "))
	default:
		e.Outcome = fmt.Sprintf("%d: no route takes it, so default_response answers", cfg.DefaultResponse.StatusCode)
	}
	return e, nil
}

// look lists the endpoints of b and what was left out.
func (e *explanation) look(b *route.Backend) {
	e.Backend, e.Scheme = b.Name, string(b.Link.Scheme())
	forwarded := []byte(e.Path)
	for _, p := range e.route.Policies.Rewrites() {
		forwarded, _ = p.Rewrite(nil, forwarded)
	}
	if string(forwarded) != e.Path {
		e.Forwarded = string(forwarded)
	}
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

// spoken is a backend's name, with what its endpoints speak where that is said.
func spoken(name, scheme string) string {
	if scheme == "" || scheme == string(config.SchemeHTTP) {
		return name
	}
	return name + " (" + scheme + ")"
}

// lost says of each other route why it does not take q, the nearest first.
func lost(t *route.Table, q *route.Request) []lostRoute {
	all := []lostRoute{}
	for _, r := range t.Routes {
		if why, near := t.Why(r, q); near != route.Taken {
			all = append(all, lostRoute{r.ID, r.Prefix, why, near})
		}
	}
	slices.SortStableFunc(all, func(a, b lostRoute) int { return int(b.near) - int(a.near) })
	return all
}

// mostLost bounds the losing routes that a person is shown.
const mostLost = 20

func (p Process) printExplanation(e explanation) error {
	_ = say(p.Stdout, "%s %s\n", e.Method, e.Path)
	if e.Host != "" {
		_ = say(p.Stdout, "  host     %s\n", e.Host)
	}
	if e.Listener != "" {
		_ = say(p.Stdout, "  listener %s\n", e.Listener)
	}
	if e.Certificate != "" {
		_ = say(p.Stdout, "  certificate %s\n", e.Certificate)
	}
	if e.Route != "" {
		_ = say(p.Stdout, "  route    %s (%s)\n", e.Route, e.why)
	}
	if e.Backend != "" {
		_ = say(p.Stdout, "  backend  %s\n", spoken(e.Backend, e.Scheme))
	}
	if e.Forwarded != "" {
		_ = say(p.Stdout, "  asks for %s\n", e.Forwarded)
	}
	for _, policy := range e.Policies {
		_ = say(p.Stdout, "  policy   %s\n", policy)
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
		_ = say(w, "  %s\t%s\n", r.Route, r.Why)
	}
	return w.Flush()
}
