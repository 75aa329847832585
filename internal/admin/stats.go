package admin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rgate/internal/proxy"
	"rgate/internal/route"
	"rgate/internal/stats"
)

// Page answers for the statistics on the public listener: the totals, and the
// details only where the configuration lets strangers see them.
func (s *Statistics) Page(x *proxy.Exchange) *proxy.Answer {
	query := strings.TrimPrefix(string(x.Query), "?")
	if kind(query) != "" && !s.table().Config.Stats.Details {
		return told(http.StatusForbidden, "the details are not public: ask with `rgate stats --by`, or allow them with stats: {details: true}\n")
	}
	return s.answer(string(x.Method), query, x.Start)
}

// ServeHTTP serves the statistics on the admin socket: the totals, or with
// ?by=route, backend or endpoint an object per item.
func (s *Statistics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.answer(r.Method, r.URL.RawQuery, time.Now())
	w.Header().Set("Content-Type", a.ContentType)
	for _, field := range a.Fields {
		w.Header().Set(field[0], field[1])
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // a client that left misses nothing
}

// kind is what a query asks for the statistics by; "" for the totals.
func kind(query string) string {
	values, _ := url.ParseQuery(query) // what cannot be read is not there
	return values.Get("by")
}

// answer is what to say to who asks at a time for the statistics.
func (s *Statistics) answer(method, query string, asked time.Time) *proxy.Answer {
	if method != http.MethodGet && method != http.MethodHead {
		a := told(http.StatusMethodNotAllowed, "only GET and HEAD work here\n")
		a.Fields = [][2]string{{"Allow", "GET, HEAD"}}
		return a
	}
	r := s.reports[kind(query)]
	if r == nil {
		return told(http.StatusBadRequest, "by must be route, backend or endpoint\n")
	}
	return r.since(asked, s.table)
}

func told(status int, text string) *proxy.Answer {
	return &proxy.Answer{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(text)}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	// The only error left is the client's going away.
	_ = enc.Encode(v)
}

// RouteStats is the traffic of one route to one of its backends.
type RouteStats struct {
	Route      string `json:"route"` // what it asks for, all in one
	PathPrefix string `json:"path_prefix"`
	Backend    string `json:"backend"`
	stats.ItemReport
}

// BackendStats is the traffic of one backend, over all its routes.
type BackendStats struct {
	Backend string `json:"backend"`
	stats.ItemReport
}

// EndpointStats is the attempts on one endpoint.
type EndpointStats struct {
	Backend  string `json:"backend"`
	Endpoint string `json:"endpoint"`
	Address  string `json:"address"`
	State    string `json:"state"`
	stats.ItemReport
}

func byRoute(t *route.Table) []RouteStats {
	all := []RouteStats{}
	for _, r := range t.Routes {
		for _, to := range r.Targets {
			all = append(all, RouteStats{r.ID, r.Prefix, to.Name(), to.Stats.Snapshot().ItemReport()})
		}
	}
	return all
}

func byBackend(t *route.Table) []BackendStats {
	all := []BackendStats{}
	for _, b := range t.Backends {
		all = append(all, BackendStats{b.Name, t.BackendTotal(b).ItemReport()})
	}
	return all
}

func byEndpoint(t *route.Table) []EndpointStats {
	all := []EndpointStats{}
	for _, e := range t.Endpoints() {
		all = append(all, EndpointStats{e.Backend, e.Name, e.Address, e.State(), e.Stats.Snapshot().ItemReport()})
	}
	return all
}
