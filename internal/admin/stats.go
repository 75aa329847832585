package admin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"rgate/internal/proxy"
	"rgate/internal/route"
	"rgate/internal/stats"
)

// Page answers for the statistics on the public listener.
func Page(table func() *route.Table) func(*proxy.Exchange) *proxy.Answer {
	return func(x *proxy.Exchange) *proxy.Answer {
		return statistics(table, string(x.Method), strings.TrimPrefix(string(x.Query), "?"))
	}
}

// Stats serves the statistics: the totals, or with ?by=route, backend or
// endpoint an object per item.
func Stats(table func() *route.Table) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := statistics(table, r.Method, r.URL.RawQuery)
		w.Header().Set("Content-Type", a.ContentType)
		for _, field := range a.Fields {
			w.Header().Set(field[0], field[1])
		}
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body) // a client that left misses nothing
	})
}

// statistics is the answer to who asks for them.
func statistics(table func() *route.Table, method, query string) *proxy.Answer {
	if method != http.MethodGet && method != http.MethodHead {
		a := told(http.StatusMethodNotAllowed, "only GET and HEAD work here\n")
		a.Fields = [][2]string{{"Allow", "GET, HEAD"}}
		return a
	}
	var report any
	values, _ := url.ParseQuery(query) // what cannot be read is not there
	switch values.Get("by") {
	case "":
		report = table().Total().Report()
	case "route":
		report = byRoute(table())
	case "backend":
		report = byBackend(table())
	case "endpoint":
		report = byEndpoint(table())
	default:
		return told(http.StatusBadRequest, "by must be route, backend or endpoint\n")
	}
	body, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return told(http.StatusInternalServerError, err.Error()+"\n") // cannot be: plain data
	}
	return &proxy.Answer{
		Status: http.StatusOK, ContentType: "application/json", Body: append(body, '\n'),
		Fields: [][2]string{{"Cache-Control", "no-store"}},
	}
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
			all = append(all, RouteStats{r.Prefix, to.Backend.Name, to.Stats.Snapshot().ItemReport()})
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
