package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"rgate/internal/admin"
	"rgate/internal/stats"
)

func newStats(p Process) *cobra.Command {
	var c client
	var by string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Show the traffic of a running gateway",
		Long: `Show the traffic of a running gateway: requests, errors and latency, in all and
by route, backend or endpoint. Counting began when the gateway started.`,
		Example: "  rgate stats\n  rgate stats --by endpoint\n  rgate stats --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"", "route", "backend", "endpoint"}, by) {
				return usageError{fmt.Errorf("--by %q must be route, backend or endpoint", by)}
			}
			if asJSON {
				target := "/stats"
				if by != "" {
					target += "?by=" + by
				}
				body, err := c.askStats(cmd.Context(), target)
				if err != nil {
					return err
				}
				return say(p.Stdout, "%s", ink(plainJSON(body)))
			}
			return p.printStats(cmd.Context(), &c, by)
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVar(&by, "by", "", "route, backend or endpoint")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the gateway's JSON as it is")
	return cmd
}

// errTotalsOnly says that a public page keeps to itself what is asked for.
var errTotalsOnly = errors.New("strangers the totals alone (stats: {details: true} would tell more)")

// askStats asks the admin socket, or where there is none (a gateway in a
// container, of another user) the public statistics page.
func (c *client) askStats(ctx context.Context, target string) ([]byte, error) {
	body, err := c.ask(ctx, http.MethodGet, target)
	if !errors.Is(err, errNotRunning) || c.socket != "" {
		return body, err
	}
	request, bad := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://localhost:%d%s", c.port, target), nil)
	if bad != nil {
		return nil, bad
	}
	public := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	response, bad := public.Do(request)
	if bad != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, bad = readAnswer(response.Body)
	if bad == nil && response.StatusCode == http.StatusForbidden && target != "/stats" {
		return nil, fmt.Errorf("%w, and its page on port %d tells %w", err, c.port, errTotalsOnly)
	}
	if bad != nil || response.StatusCode != http.StatusOK || !json.Valid(body) {
		return nil, err // another program is on that port
	}
	return body, nil
}

func (p Process) printStats(ctx context.Context, c *client, by string) error {
	if by == "" {
		var total stats.Report
		if err := c.getStats(ctx, "/stats", &total); err != nil {
			return err
		}
		w := p.columns()
		_ = say(w, "SUCCESS\tERROR\tAVERAGE\tP95\tP99\n")
		_ = say(w, "%d\t%d\t%v ms\t%v ms\t%v ms\n", total.Requests.Success, total.Requests.Error, total.Latency.Average, total.Latency.P95, total.Latency.P99)
		if err := w.Flush(); err != nil {
			return err
		}
	}
	rows, err := c.statsBy(ctx, cmp.Or(by, "route"))
	if by == "" && errors.Is(err, errTotalsOnly) {
		return nil // that they are the totals is all there is to see
	}
	if err != nil {
		return err
	}
	if by == "" {
		_ = say(p.Stdout, "\n")
	}
	w := p.columns()
	_ = say(w, "%s\tSUCCESS\tERROR\tIN FLIGHT\tRETRIES\tAVERAGE\tP95\tP99\n", rows.head)
	for i, r := range rows.reports {
		_ = say(w, "%s\t%d\t%d\t%d\t%d\t%v ms\t%v ms\t%v ms\n", rows.names[i], r.Requests.Success, r.Requests.Error, r.InFlight, r.Retries, r.Latency.Average, r.Latency.P95, r.Latency.P99)
	}
	return w.Flush()
}

type statRows struct {
	head    ink
	names   []ink
	reports []stats.ItemReport
}

func (s *statRows) add(r stats.ItemReport, names ...string) {
	s.names = append(s.names, cells(names...))
	s.reports = append(s.reports, r)
}

func (c *client) statsBy(ctx context.Context, by string) (rows statRows, err error) {
	target := "/stats?by=" + by
	switch by {
	case "route":
		var items []admin.RouteStats
		err = c.getStats(ctx, target, &items)
		rows.head = "ROUTE\tBACKEND"
		for _, i := range items {
			rows.add(i.ItemReport, cmp.Or(i.Route, i.PathPrefix), cmp.Or(i.Backend, noBackend)) // an older gateway tells the prefix alone
		}
	case "backend":
		var items []admin.BackendStats
		err = c.getStats(ctx, target, &items)
		rows.head = "BACKEND"
		for _, i := range items {
			rows.add(i.ItemReport, i.Backend)
		}
	default:
		var items []admin.EndpointStats
		err = c.getStats(ctx, target, &items)
		rows.head = "BACKEND\tENDPOINT\tADDRESS\tSTATE"
		for _, i := range items {
			rows.add(i.ItemReport, i.Backend, i.Endpoint, i.Address, i.State)
		}
	}
	return rows, err
}
